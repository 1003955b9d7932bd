"""The slim record of a Pod: what planning needs, and no more.

Ten thousand whole Pods cost some 200 MiB as dicts; ten thousand records a few.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from sys import intern
from typing import Any

from podpatterns.compose.inplace import acknowledged, restarting, statuses, updated_containers
from podpatterns.compose.labels import CONFIGURATION, REVISION

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
    configuration: str = ""
    """The hash of the configuration that its helpers were last given; empty when they have none."""
    phase: str = "Pending"
    node: str = ""
    """Empty while the Pod is not scheduled."""
    address: str = ""
    """Its IP address; empty while it has none."""
    ready_since: float | None = None
    restarting: bool = False
    """An update in place has not reached all its containers yet. For a moment the Pod still says Ready."""
    settling: bool = False
    """The node has not carried out the newest spec yet, such as new resources. The Pod may well run."""
    mounting: bool = False
    """It is on its node and has no sandbox yet: it waits for its volumes, such as a Secret not there."""
    finished_at: float | None = None
    """When the last container ended; set only in the phases Failed and Succeeded."""
    terminating: bool = False
    finalizers: tuple[str, ...] = ()
    restarts: int = 0
    deletion_cost: int = 0
    reason: str = ""
    """Why the Pod is not well, in Kubernetes' own word: Evicted, ImagePullBackOff, CrashLoopBackOff, …"""
    message: str = ""
    """The same as a sentence, in the words of node or server."""
    unready: tuple[str, ...] = ()
    """Init containers, native sidecars among them, that run and are not ready."""
    resource_version: int = 0

    @property
    def finished(self) -> bool:
        """The Pod will never run again."""
        return self.phase in ("Failed", "Succeeded")

    @property
    def live(self) -> bool:
        """The Pod counts as one of the replicas."""
        return not self.terminating and not self.finished

    def has_arrived_at(self, revision: str) -> bool:
        """It is of that revision, and what was changed in it as it runs has been carried out."""
        changing = self.restarting or (self.settling and self.ready_since is not None)
        return self.revision == revision and not changing

    def available(self, now: float, min_ready_seconds: float) -> bool:
        """Ready for at least `min_ready_seconds`, and nothing in it is about to restart."""
        return (
            self.live
            and not self.restarting
            and self.ready_since is not None
            and now - self.ready_since >= min_ready_seconds
        )


def observe(obj: Mapping[str, Any]) -> Pod:
    """The record of a Pod as the API server sent it."""
    meta = obj["metadata"]
    status = obj.get("status") or {}
    phase = status.get("phase", "Pending")
    containers = statuses(obj)
    reason, message = _illness(status, containers)
    return Pod(
        name=meta["name"],
        uid=meta["uid"],
        revision=intern((meta.get("labels") or {}).get(REVISION, "")),
        created=seconds(meta["creationTimestamp"]),
        configuration=intern((meta.get("annotations") or {}).get(CONFIGURATION, "")),
        phase=intern(phase),
        node=intern((obj.get("spec") or {}).get("nodeName", "")),
        address=status.get("podIP", ""),
        ready_since=_ready_since(obj, status, containers),
        restarting=restarting(obj),
        settling=not acknowledged(obj) or _resize(status) is not None,
        unready=_unready(status),
        mounting=_mounting(status),
        finished_at=_finished_at(meta, containers) if phase in ("Failed", "Succeeded") else None,
        terminating="deletionTimestamp" in meta,
        finalizers=tuple(meta.get("finalizers") or ()),
        restarts=sum(c.get("restartCount", 0) for c in containers),
        deletion_cost=_deletion_cost(meta),
        reason=reason,
        message=message,
        resource_version=int(meta["resourceVersion"]),
    )


def seconds(timestamp: str) -> float:
    """Unix seconds of a metav1.Time or MicroTime."""
    return datetime.fromisoformat(timestamp).timestamp()


def timestamp(seconds: float) -> str:
    """metav1.Time of Unix seconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _unready(status: Mapping[str, Any]) -> tuple[str, ...]:
    found = status.get("initContainerStatuses") or ()
    return tuple(intern(c["name"]) for c in found if "running" in c.get("state", {}) and not c.get("ready"))


def _ready_since(
    obj: Mapping[str, Any], status: Mapping[str, Any], containers: Sequence[Mapping[str, Any]]
) -> float | None:
    """Since when all its containers have been ready.

    One that was updated in place begins anew, though the Pod's condition may not have turned meanwhile.
    """
    for condition in status.get("conditions") or ():
        if condition["type"] == "Ready" and condition["status"] == "True":
            updated = updated_containers(obj) or ()
            running = [c.get("state", {}).get("running", {}) for c in containers if c["name"] in updated]
            starts = [seconds(r["startedAt"]) for r in running if r.get("startedAt")]
            return max([seconds(condition["lastTransitionTime"]), *starts])
    return None


def _finished_at(meta: Mapping[str, Any], containers: Sequence[Mapping[str, Any]]) -> float:
    ends = [
        c["state"]["terminated"].get("finishedAt") for c in containers if "terminated" in c.get("state", {})
    ]
    return max((seconds(end) for end in ends if end), default=seconds(meta["creationTimestamp"]))


def _deletion_cost(meta: Mapping[str, Any]) -> int:
    try:
        return int((meta.get("annotations") or {}).get(DELETION_COST, 0))
    except ValueError:
        return 0  # as ReplicaSet does: a cost that can't be read costs nothing


def _mounting(status: Mapping[str, Any]) -> bool:
    # https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-has-network
    conditions = {c["type"]: c["status"] for c in status.get("conditions") or ()}
    return conditions.get("PodReadyToStartContainers") == "False" and status.get("phase") == "Pending"


def _resize(status: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The condition that tells of a change of resources which is not carried out yet (KEP-1287)."""
    for condition in status.get("conditions") or ():
        if condition["type"] in ("PodResizePending", "PodResizeInProgress") and condition["status"] == "True":
            return dict(condition)
    return None


def _illness(status: Mapping[str, Any], containers: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Reason and message of what keeps the Pod from being well; empty when nothing does."""
    if status.get("reason"):
        return str(status["reason"]), str(status.get("message", ""))
    for container in containers:
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") not in (None, "PodInitializing", "ContainerCreating"):
            # Why it ended last time says more than that it waits.
            last = container.get("lastState", {}).get("terminated", {}).get("message", "")
            words = (" ".join(str(last).split()), waiting.get("message", ""))
            return str(waiting["reason"]), "; ".join(filter(None, words))
    resize = _resize(status)
    if resize and resize.get("reason"):  # Deferred or Infeasible; Error while it is carried out
        return f"Resize{resize['reason']}", str(resize.get("message", ""))
    return "", ""
