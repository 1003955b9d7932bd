"""The readable part of an object that hasn't the form of its kind: how its Pods are run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from podpatterns.api.pattern import Pattern, PatternSpec

NEEDED = ("replicas", "podNaming", "ordinals")
"""Without them nobody knows which Pods the object has."""
OTHERS = (
    "podReplacementPolicy",
    "podManagementPolicy",
    "persistentVolumeClaimRetentionPolicy",
    "updateStrategy",
    "minReadySeconds",
    "backoffLimit",
    "progressDeadlineSeconds",
    "revisionHistoryLimit",
)


def readable(obj: Mapping[str, Any]) -> Pattern | None:
    """Return the object with the fields of its spec that say how Pods are run, and no others.

    A field without its form has its default; None where that is one of NEEDED, or what identifies the object.
    """
    spec = obj.get("spec")
    if not isinstance(spec, Mapping):
        return None
    found = {name: spec[name] for name in NEEDED if name in spec}
    found |= {name: spec[name] for name in OTHERS if name in spec and _has_its_form(name, spec[name])}
    try:
        return Pattern.model_validate({**obj, "spec": found})
    except ValidationError:
        return None


def _has_its_form(name: str, value: object) -> bool:
    try:
        PatternSpec.model_validate({name: value})
    except ValidationError:
        return False
    return True
