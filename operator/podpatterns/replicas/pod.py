"""The slim record of a Pod: what planning needs, and no more.

Ten thousand whole Pods cost some 200 MiB as dicts; ten thousand records a few.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from sys import intern
from typing import Any

from podpatterns.compose.labels import REVISION

# https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#pod-deletion-cost
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"


@dataclass(frozen=True, slots=True)
class Pod:
    """One observed Pod. Times are Unix seconds."""

    name: str
    uid: str
    revision: str
    """The revision hash that the operator wrote at creation; empty when the label is gone."""
    created: float
    phase: str = "Pending"
    node: str = ""
    """Empty while the Pod is not scheduled."""
    ready_since: float | None = None
    finished_at: float | None = None
    """When the last container ended; set only in the phases Failed and Succeeded."""
    terminating: bool = False
    finalizers: tuple[str, ...] = ()
    restarts: int = 0
    deletion_cost: int = 0
    reason: str = ""
    """Why the Pod is not well, in Kubernetes' own word: Evicted, ImagePullBackOff, CrashLoopBackOff, …"""
    resource_version: int = 0

    @property
    def finished(self) -> bool:
        """The Pod will never run again."""
        return self.phase in ("Failed", "Succeeded")

    @property
    def live(self) -> bool:
        """The Pod counts as one of the replicas."""
        return not self.terminating and not self.finished

    def available(self, now: float, min_ready_seconds: float) -> bool:
        """Ready for at least `min_ready_seconds`."""
        return self.live and self.ready_since is not None and now - self.ready_since >= min_ready_seconds


def observe(obj: Mapping[str, Any]) -> Pod:
    """The record of a Pod as the API server sent it."""
    meta = obj["metadata"]
    status = obj.get("status") or {}
    phase = status.get("phase", "Pending")
    containers = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    return Pod(
        name=meta["name"],
        uid=meta["uid"],
        revision=intern((meta.get("labels") or {}).get(REVISION, "")),
        created=seconds(meta["creationTimestamp"]),
        phase=intern(phase),
        node=intern((obj.get("spec") or {}).get("nodeName", "")),
        ready_since=_ready_since(status),
        finished_at=_finished_at(meta, containers) if phase in ("Failed", "Succeeded") else None,
        terminating="deletionTimestamp" in meta,
        finalizers=tuple(meta.get("finalizers") or ()),
        restarts=sum(c.get("restartCount", 0) for c in containers),
        deletion_cost=_deletion_cost(meta),
        reason=status.get("reason") or _waiting_reason(containers),
        resource_version=int(meta["resourceVersion"]),
    )


def seconds(timestamp: str) -> float:
    """Unix seconds of a metav1.Time or MicroTime."""
    return datetime.fromisoformat(timestamp).timestamp()


def timestamp(seconds: float) -> str:
    """metav1.Time of Unix seconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _ready_since(status: Mapping[str, Any]) -> float | None:
    for condition in status.get("conditions") or ():
        if condition["type"] == "Ready" and condition["status"] == "True":
            return seconds(condition["lastTransitionTime"])
    return None


def _finished_at(meta: Mapping[str, Any], containers: list[Mapping[str, Any]]) -> float:
    ends = [
        c["state"]["terminated"].get("finishedAt") for c in containers if "terminated" in c.get("state", {})
    ]
    return max((seconds(end) for end in ends if end), default=seconds(meta["creationTimestamp"]))


def _deletion_cost(meta: Mapping[str, Any]) -> int:
    try:
        return int((meta.get("annotations") or {}).get(DELETION_COST, 0))
    except ValueError:
        return 0  # as ReplicaSet does: a cost that can't be read costs nothing


def _waiting_reason(containers: list[Mapping[str, Any]]) -> str:
    for container in containers:
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") not in (None, "PodInitializing", "ContainerCreating"):
            return str(waiting["reason"])
    return ""
