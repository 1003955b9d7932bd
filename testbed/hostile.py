"""Objects of people who wish the operator or other people ill, or who only wrote something odd."""

from __future__ import annotations

import copy
from typing import Any

GROUP = "podpatterns.dev"
UPDATED_CONTAINERS = f"{GROUP}/updated-containers"
DEEP = "[" * 1200
"""JSON of more brackets than Python's parser has stack for."""
EVIL_IMAGE = "evil:1"
NO_REVISIONS = "count/controllerrevisions.apps"

Object = dict[str, Any]


def stranger(name: str, kind: str = "SidecarApp", owner: str = "nobody") -> Object:
    """A Pod with the labels of an object of ours and a record of an update in place that can't be read."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "labels": {f"{GROUP}/kind": kind, f"{GROUP}/name": owner},
            "annotations": {UPDATED_CONTAINERS: DEEP},
        },
        "spec": {
            "containers": [{"name": "stranger", "image": "stranger"}],
            "terminationGracePeriodSeconds": 1,
        },
    }


def timeless(pod: Object) -> Object:
    """A patch of the Pod's status: it is Ready, and nothing says since when, as with virtual-kubelet."""
    conditions = [{k: v for k, v in c.items() if k != "lastTransitionTime"} for c in _conditions(pod)]
    return {"status": {"conditions": conditions}}


def ready(pod: Object) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", ()))


def talkative(pod: Object, words: str) -> Object:
    """A patch of the Pod's status: every container writes `words` to its termination log and ends, again and
    again."""
    ended = {"exitCode": 1, "reason": "Error", "message": words}
    waits = {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}
    status: Object = {
        key: [
            {**c, "ready": False, "state": {"waiting": waits}, "lastState": {"terminated": ended}}
            for c in pod["status"].get(key, [])
        ]
        for key in ("initContainerStatuses", "containerStatuses")
    }
    unready = ("Ready", "ContainersReady")
    conditions = [{**c, "status": "False"} if c["type"] in unready else c for c in _conditions(pod)]
    return {"status": {**status, "conditions": conditions}}


def _conditions(pod: Object) -> list[Object]:
    found: list[Object] = pod["status"]["conditions"]
    return found


def impostor(revision: Object, name: str, *, controlled: bool = False) -> Object:
    """A copy of a ControllerRevision that makes other Pods, with the same labels and annotations.

    With `controlled` it claims to be the same object's, if that is anybody's; else nobody's.
    """
    meta = revision["metadata"]
    data = copy.deepcopy(revision["data"])
    for part in (data["template"], data["spec"]["template"]):
        for container in part["spec"]["containers"]:
            container |= {"image": EVIL_IMAGE, "securityContext": {"privileged": True}}
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": name,
            "namespace": meta["namespace"],
            "labels": meta["labels"],
            "annotations": meta.get("annotations", {}),
            "ownerReferences": meta.get("ownerReferences", []) if controlled else [],
        },
        "revision": revision["revision"] + 100,
        "data": data,
    }


def quota(name: str = "no-revisions") -> Object:
    """No ControllerRevision may be made."""
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": name},
        "spec": {"hard": {NO_REVISIONS: "0"}},
    }


def ballast(size: int, entries: int = 100) -> list[Object]:
    """Environment variables of about `size` bytes."""
    value = "x" * (size // entries)
    return [{"name": f"BALLAST_{index}", "value": value} for index in range(entries)]


def costly_parts(count: int = 3, rules: int = 128) -> list[Object]:
    """Adapters to be included, whose regular expressions take long to compile."""
    return [_costly_part(number, rules) for number in range(count)]


def costly_part_name(number: int) -> str:
    return f"costly-{number}"


def _costly_part(number: int, rules: int) -> Object:
    letters = r"\pL" * 250
    return {
        "apiVersion": f"{GROUP}/v1alpha1",
        "kind": "Adapter",
        "metadata": {"name": costly_part_name(number)},
        "spec": {
            "contract": {"name": "custom", "metrics": [{"name": "a_total", "type": "counter"}]},
            "sources": [{"name": "l", "type": "log", "log": {"volume": "v", "path": "x"}}],
            "rules": [
                {"source": "l", "metric": "a_total", "regex": f"(?i){letters}x{number}y{index}"}
                for index in range(rules)
            ],
            "sharedVolumes": [{"name": "v", "mountPath": "/v"}],
        },
    }
