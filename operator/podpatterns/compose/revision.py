"""The revision hash, which tells the Pods that are up to date.

It covers the spec as people wrote it, without defaults, and not the composed Pod: a new version of the
operator that composes a Pod a little differently, or knows a new field, must not restart every Pod of the
cluster. Drift is not judged by live Pods either: servers and webhooks add to those.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from podpatterns.api import Pattern, PatternSpec
from podpatterns.api.effect import Effect, fields_marked, fields_touching
from podpatterns.api.model import Model

_OF_PARTS = ("volumes", "init_containers", "env")
LENGTH = 10
"""Hex digits of a hash: 40 bits, far more than the revisions that one object ever has."""


def recorded_spec(app: Pattern) -> dict[str, Any]:
    """Return the fields of `app` that shape its Pods and claims or configure helpers, as the author wrote
    them."""
    recorded = fields_touching(
        type(app.spec), Effect.SHAPES_POD, Effect.CONFIGURES_HELPER, Effect.SHAPES_CLAIM
    )
    return app.spec.model_dump(include=set(recorded), exclude_defaults=True, by_alias=True)


def revision(shapes: Sequence[tuple[Pattern, Mapping[str, Any]]]) -> str:
    """Return the hash of the application (first) and its parts, each with the shape of its kind."""
    return short_hash(
        [
            {
                **shaping_fields(o.spec, PatternSpec, without=_OF_PARTS),
                **_of_a_part(o.spec),
                **_claims(o.spec),
                **shape,
            }
            for o, shape in shapes
        ]
    )


def _of_a_part(spec: PatternSpec) -> dict[str, Any]:
    """Return the fields that only parts have, apart from others of a kind: a shape may have their names."""
    found = spec.model_dump(include=set(_OF_PARTS), exclude_defaults=True, by_alias=True)
    return {"part": found} if found else {}


def _claims(spec: PatternSpec) -> dict[str, Any]:
    """Of a claim template its name shapes the Pod, which has a volume of that name."""
    names = sorted(template.metadata.name for template in spec.volume_claim_templates)
    return {"volumeClaimTemplates": names} if names else {}


def shaping_fields(
    written: Model, declared_by: type[Model], *, without: Collection[str] = ()
) -> dict[str, Any]:
    """Return the fields that shape the Pod, of those that a class of the model declares itself.

    Defaults are left out, or a new field would change the hash of every object.
    """
    own = set(fields_marked(declared_by, Effect.SHAPES_POD) & declared_by.__annotations__.keys())
    return written.model_dump(include=own.difference(without), exclude_defaults=True, by_alias=True)


def short_hash(data: object) -> str:
    """Return a hash of plain data, which doesn't depend on the order of keys."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]
