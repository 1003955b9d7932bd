"""The patch that updates a running Pod in place, and the signs that the update has arrived."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from podpatterns.api.updatestrategy import InPlace
from podpatterns.compose.labels import RESIZE, REVISION, UPDATED_CONTAINERS
from podpatterns.replicas.change import CONTAINER_LISTS, OBSTACLES_KEPT, Change
from podpatterns.replicas.reading import json_mapping, mapping, mappings, text
from podpatterns.replicas.resize import containers_with, resize

STATUSES = ("initContainerStatuses", "containerStatuses")
Object = Mapping[str, Any]


def permitted(change: Change, in_place: InPlace, application: Collection[str]) -> Change:
    """Return the change; where it would restart a container of the application, and only helpers may restart
    in place, with that as an obstacle."""
    if in_place.containers == "All":
        return change
    forbidden = [field for name, field in change.restarts.items() if name in application]
    return (
        replace(change, obstacles=(*change.obstacles, *forbidden)[:OBSTACLES_KEPT]) if forbidden else change
    )


def in_place_patch(pod: Object, change: Change, revision: str) -> dict[str, Any]:
    """Return the strategic merge patch that makes `pod`, as the server just sent it, one of `revision`.

    It fails with a conflict when the Pod has changed in between: what it says of the containers that run must
    be true at the moment of the write. Resources have been changed before (`resize`).
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
        patch["spec"] = containers_with(pod, {n: {"image": image} for n, image in change.images.items()})
    if (resized := resize(pod)) and resized.revision != revision:
        # What it asked for is part of this revision too.
        annotations[RESIZE] = str(replace(resized, revision=revision))
    if annotations:
        patch["metadata"]["annotations"] = annotations
    return patch


def updated_containers(pod: Object) -> Mapping[str, Mapping[str, str]] | None:
    """Return the containers of the last update in place with their ID and image before it; None without one.

    Of what somebody else wrote there nothing is known to be under way.
    """
    annotations = mapping(mapping(pod.get("metadata")).get("annotations"))
    if UPDATED_CONTAINERS not in annotations:
        return None
    written = json_mapping(annotations[UPDATED_CONTAINERS])
    return {
        name: {"id": before["id"], "image": before["image"]}
        for name, before in written.items()
        if all(isinstance(mapping(before).get(key), str) for key in ("id", "image"))
    }


def acknowledged(pod: Object) -> bool:
    """Return whether the kubelet has acknowledged the newest spec (KEP-5067)."""
    seen = mapping(pod.get("status")).get("observedGeneration")
    newest = mapping(pod.get("metadata")).get("generation")
    return not (isinstance(seen, int) and isinstance(newest, int)) or seen >= newest


def restarting(pod: Object) -> bool:
    """Return whether an update in place is under way: a container still is the one from before it, or none.

    One whose image is again the one that it runs is not going to be replaced.
    """
    before = updated_containers(pod)
    if before is None:
        return False
    images = _images(pod)
    return not acknowledged(pod) or any(
        (name := text(s.get("name"))) in before
        and text(s.get("containerID")) in ("", before[name]["id"])
        and images.get(name) != before[name]["image"]
        for s in statuses(pod)
    )


def statuses(pod: Object) -> list[Mapping[str, Any]]:
    """Return the ContainerStatuses of init and other containers."""
    status = mapping(pod.get("status"))
    return [s for name in STATUSES for s in mappings(status.get(name))]


def _before(pod: Object, changing: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
    """Return the containers that run where new images are to run, and those that an earlier update waits
    for."""
    ids = {text(s.get("name")): text(s.get("containerID")) for s in statuses(pod)}
    images = _images(pod)
    waiting = {n: b for n, b in (updated_containers(pod) or {}).items() if ids.get(n, "") == b["id"]}
    return {n: {"id": ids.get(n, ""), "image": images.get(n, "")} for n in changing} | waiting


def _images(pod: Object) -> dict[str, str]:
    spec = mapping(pod.get("spec"))
    return {
        text(c.get("name")): text(c.get("image"))
        for name in CONTAINER_LISTS
        for c in mappings(spec.get(name))
    }
