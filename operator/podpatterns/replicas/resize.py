"""Resize of a running Pod: the change of its CPU and memory, and the operator's record of it on the Pod.

Resources are written through a subresource of their own, the revision label is not: a change of both takes
more than one request, and any of them may be refused or be the last before the operator ends. So the Pod
itself says which revision it is being brought to, before anything of it changes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubernetes.utils.quantity import parse_quantity

from podpatterns.compose.labels import RESIZE
from podpatterns.replicas.change import CONTAINER_LISTS, Change
from podpatterns.replicas.reading import json_mapping, mapping, mappings, text

QUANTITY_LENGTH = 64
"""Characters, far more than any quantity has that the API server takes."""

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Resize:
    """Content of the annotation on a Pod."""

    revision: str
    """Revision to which the Pod is, or was, brought."""
    resources: Mapping[str, Mapping[str, Any]]
    """Container -> the ResourceRequirements that the operator asked for."""

    def __str__(self) -> str:
        """Return the value of the annotation."""
        content = {"revision": self.revision, "resources": self.resources}
        return json.dumps(content, sort_keys=True, separators=(",", ":"))


def resize(pod: Object) -> Resize | None:
    """Return the operator's last change of resources in a Pod, or None."""
    written = json_mapping(mapping(mapping(pod.get("metadata")).get("annotations")).get(RESIZE))
    revision, resources = written.get("revision"), mapping(written.get("resources"))
    if not isinstance(revision, str):
        return None  # nobody wrote it, or somebody spoiled it
    return Resize(revision, {name: mapping(asked) for name, asked in resources.items()})


def announcement(pod: Object, change: Change, revision: str) -> dict[str, Any] | None:
    """Return the patch to write before the resources of a Pod change; None if the Pod has it already."""
    before = resize(pod)
    still = before.resources if before else {}
    spec = _resources(pod)
    kept = {name: asked for name, asked in still.items() if asks_for(spec.get(name, {}), asked)}
    now = Resize(revision, {**kept, **change.resources})
    if before == now:
        return None
    meta = pod["metadata"]
    versioned = {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}
    return {"metadata": {**versioned, "annotations": {RESIZE: str(now)}}}


def withdrawal(pod: Object) -> dict[str, Any]:
    """Return the patch that takes an announcement back; `pod` is as it was before."""
    meta = pod["metadata"]
    before = mapping(meta.get("annotations")).get(RESIZE)
    return {"metadata": {"uid": meta["uid"], "annotations": {RESIZE: before}}}


def resize_patch(pod: Object, change: Change) -> dict[str, Any]:
    """Return the strategic merge patch for the Pod's subresource `resize`."""
    return {
        "metadata": {"uid": pod["metadata"]["uid"]},
        "spec": containers_with(pod, {n: {"resources": wanted} for n, wanted in change.resources.items()}),
    }


def still_asked_for(pod: Object, change: Resize) -> bool:
    """Return whether the Pod's spec is as the operator asked: then an unfinished resize is the operator's."""
    spec = _resources(pod)
    return all(asks_for(spec.get(name, {}), asked) for name, asked in change.resources.items())


def asks_for(there: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    """Return whether the amounts are equal in any notation: the API server has its own, and adds to them."""
    return all(
        _same(mapping(there.get(kind)).get(name), amount)
        for kind in ("requests", "limits")
        for name, amount in mapping(asked.get(kind)).items()
    )


def containers_with(pod: Object, fields: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the part of a spec that gives named containers other fields."""
    lists = {
        name: [
            {"name": c["name"], **fields[c["name"]]}
            for c in pod["spec"].get(name) or ()
            if c["name"] in fields
        ]
        for name in CONTAINER_LISTS
    }
    return {name: containers for name, containers in lists.items() if containers}


def _resources(pod: Object) -> dict[str, Mapping[str, Any]]:
    spec = mapping(pod.get("spec"))
    return {
        text(c.get("name")): mapping(c.get("resources"))
        for name in CONTAINER_LISTS
        for c in mappings(spec.get(name))
    }


def _same(one: object, other: object) -> bool:
    if one == other:
        return True
    if any(not isinstance(q, str | int | float) or len(str(q)) > QUANTITY_LENGTH for q in (one, other)):
        return False
    try:
        return bool(parse_quantity(one) == parse_quantity(other))
    except (ValueError, ArithmeticError):
        return False
