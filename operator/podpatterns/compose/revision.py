"""The revision hash: which Pods are up to date.

It is taken of what people wrote, defaults left out, and not of the composed Pod: a new version of the
operator that composes a Pod a little differently, or knows a new field, must not restart every Pod of the
cluster. Neither is drift ever judged by looking at live Pods: servers and webhooks add to those.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from podpatterns.api import Pattern

LENGTH = 10
"""Hex digits: 40 bits, far more than the revisions one object ever has."""

SHAPES_THE_POD = {"template", "sidecars", "shared_volumes", "shared_memory"}


def words(app: Pattern) -> dict[str, Any]:
    """What the author of `app` wrote that shapes the Pod, as it is on the wire."""
    return app.spec.model_dump(include=SHAPES_THE_POD, exclude_defaults=True, by_alias=True)


def revision(objects: Sequence[Pattern]) -> str:
    """The hash of the application (first) and its parts."""
    text = json.dumps([words(o) for o in objects], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]
