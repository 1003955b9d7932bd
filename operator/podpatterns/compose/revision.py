"""The revision hash: which Pods are up to date.

It is taken of what people wrote, defaults left out, and not of the composed Pod: a new version of the
operator that composes a Pod a little differently, or knows a new field, must not restart every Pod of the
cluster. Neither is drift ever judged by looking at live Pods: servers and webhooks add to those.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from podpatterns.api import Pattern

LENGTH = 10
"""Hex digits: 40 bits, far more than the revisions one object ever has."""

COMMON = {"template", "shared_volumes", "shared_memory"}
"""The fields of all kinds that shape the Pod."""

OF_ONE_KIND = {
    "sidecars",
    "mode",
    "upstreams",
    "proxy",
    "contract",
    "metrics",
    "sources",
    "rules",
}
"""The fields that only one kind has."""


def recorded_spec(app: Pattern) -> dict[str, Any]:
    """What the author of `app` wrote about its Pods and their helpers, as it is on the wire."""
    return app.spec.model_dump(include=COMMON | OF_ONE_KIND, exclude_defaults=True, by_alias=True)


def revision(shapes: Sequence[tuple[Pattern, Mapping[str, Any]]]) -> str:
    """The hash of the application (first) and its parts, each with what its own kind's fields say."""
    return short_hash(
        [
            {**o.spec.model_dump(include=COMMON, exclude_defaults=True, by_alias=True), **shape}
            for o, shape in shapes
        ]
    )


def short_hash(data: object) -> str:
    """A hash of plain data, whatever the order of its keys."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]
