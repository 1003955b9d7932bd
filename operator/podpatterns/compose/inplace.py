"""The patches that update a running Pod in place, and how to see whether they have arrived."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from podpatterns.compose.change import PLACES, Change
from podpatterns.compose.labels import REVISION, UPDATED_CONTAINERS

STATUSES = ("initContainerStatuses", "containerStatuses")
Object = Mapping[str, Any]


def in_place_patch(pod: Object, change: Change, revision: str) -> dict[str, Any]:
    """The strategic merge patch that makes `pod`, as the server just sent it, one of `revision`.

    It fails with a conflict when the Pod has changed in between: what it says of the containers that run must
    be true at the moment of the write.
    """
    meta = pod["metadata"]
    patch: dict[str, Any] = {
        "metadata": {
            "uid": meta["uid"],
            "resourceVersion": meta["resourceVersion"],
            "labels": {**change.labels, REVISION: revision},
        }
    }
    annotations = dict(change.annotations)
    if change.images:
        annotations[UPDATED_CONTAINERS] = json.dumps(_before(pod, change.images), separators=(",", ":"))
        patch["spec"] = _containers(pod, {n: {"image": image} for n, image in change.images.items()})
    if annotations:
        patch["metadata"]["annotations"] = annotations
    return patch


def resize_patch(pod: Object, change: Change) -> dict[str, Any] | None:
    """The strategic merge patch for the Pod's subresource `resize`; None when no resources change."""
    if not change.resources:
        return None
    resources = {name: {"resources": wanted} for name, wanted in change.resources.items()}
    return {"metadata": {"uid": pod["metadata"]["uid"]}, "spec": _containers(pod, resources)}


def updated_containers(pod: Object) -> Mapping[str, Mapping[str, str]] | None:
    """The containers of the last update in place, with the ID and image before it; None without one."""
    text = (pod["metadata"].get("annotations") or {}).get(UPDATED_CONTAINERS)
    if text is None:
        return None
    try:
        written = json.loads(text)
        return {name: {"id": before["id"], "image": before["image"]} for name, before in written.items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}  # somebody else wrote it: nothing is known to be under way


def acknowledged(pod: Object) -> bool:
    """The kubelet has taken note of the newest spec (KEP-5067)."""
    seen = (pod.get("status") or {}).get("observedGeneration")
    return seen is None or seen >= pod["metadata"].get("generation", 0)


def restarting(pod: Object) -> bool:
    """An update in place is under way: a container still is the one from before it, or none.

    One whose image is again the one that it runs is not going to be replaced.
    """
    before = updated_containers(pod)
    if before is None:
        return False
    images = _images(pod)
    return not acknowledged(pod) or any(
        s["name"] in before
        and s.get("containerID", "") in ("", before[s["name"]]["id"])
        and images.get(s["name"]) != before[s["name"]]["image"]
        for s in statuses(pod)
    )


def statuses(pod: Object) -> list[Mapping[str, Any]]:
    """The ContainerStatuses of init and other containers."""
    status = pod.get("status") or {}
    return [s for place in STATUSES for s in status.get(place) or ()]


def _before(pod: Object, changing: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
    """What runs now where new images are to run, and what an earlier update still waits for."""
    ids = {s["name"]: s.get("containerID", "") for s in statuses(pod)}
    images = _images(pod)
    waiting = {n: b for n, b in (updated_containers(pod) or {}).items() if ids.get(n, "") == b["id"]}
    return {n: {"id": ids.get(n, ""), "image": images.get(n, "")} for n in changing} | waiting


def _images(pod: Object) -> dict[str, str]:
    return {c["name"]: c.get("image", "") for place in PLACES for c in pod["spec"].get(place) or ()}


def _containers(pod: Object, fields: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The part of a spec that gives named containers other fields."""
    places = {
        place: [
            {"name": c["name"], **fields[c["name"]]}
            for c in pod["spec"].get(place) or ()
            if c["name"] in fields
        ]
        for place in PLACES
    }
    return {place: containers for place, containers in places.items() if containers}
