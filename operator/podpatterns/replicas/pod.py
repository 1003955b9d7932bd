"""The slim record of a Pod: the facts that planning and status need.

Ten thousand whole Pods cost some 200 MiB as dicts; ten thousand records a few.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from sys import intern
from typing import Any

from podpatterns.api.conditions import PodReason
from podpatterns.api.text import shown
from podpatterns.compose.labels import CONFIGURATION, IN_SERVICE, REVISION
from podpatterns.replicas.diagnosis import MESSAGE_LENGTH, REASON_LENGTH, diagnose, unfinished_resize
from podpatterns.replicas.inplace import acknowledged, restarting, statuses, updated_containers
from podpatterns.replicas.modification import Modification, modifications
from podpatterns.replicas.reading import mapping, mappings, text
from podpatterns.replicas.resize import resize, still_asked_for

# https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#pod-deletion-cost
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
ENDING = ("OnFailure", "Never")
"""Restart policies of work that ends."""
INT32 = range(-(2**31), 2**31)
FINALIZERS_KEPT, FINALIZER_LENGTH = 3, 128
"""Finalizers of a record and bytes of each: a status names them while a Pod waits for them."""


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
    """True until an update in place has reached all its containers. For a moment the Pod still says Ready."""
    settling: bool = False
    """True until the node has carried out the newest spec, such as new resources that the operator asked
    for. The Pod may run meanwhile."""
    between: str = ""
    """Revision to which the Pod was being brought when the operator was refused or ended: it is of neither
    that nor the one that `revision` names. Empty otherwise."""
    resize_pending: str = ""
    """Kubernetes' reason why its node has not begun to change resources as the operator asked: Deferred or
    Infeasible. Empty otherwise."""
    resize_pending_since: float = 0
    not_in_place: str = ""
    """Why it can't be brought to the newest revision in place, in the words of its node or the API server;
    only the planner sets it (`rollout.judged`)."""
    in_service: bool | None = None
    """True while the operator's readiness gate lets it into its Services; None without that gate."""
    out_of_service_since: float | None = None
    """Time at which the operator took it out of its Services."""
    mounting: bool = False
    """True while it has a node and no sandbox: it waits for its volumes, such as a missing Secret."""
    ends: bool = False
    """True if its work may succeed (restartPolicy OnFailure or Never)."""
    finished_at: float | None = None
    """Time of the last container's end; set only in the phases Failed and Succeeded."""
    terminating: bool = False
    finalizers: tuple[str, ...] = ()
    restarts: int = 0
    retries: int = 0
    """Restarts of containers that are to end, but those by updates in place; native sidecars are none."""
    deletion_cost: int = 0
    reason: str = ""
    """Kubernetes' reason why the Pod is unhealthy: Evicted, ImagePullBackOff, CrashLoopBackOff, …"""
    message: str = ""
    """Message of the node or the API server."""
    container: str = ""
    """Container that `reason` is about; empty when it is the Pod."""
    exit_code: int | None = None
    """Exit code of that container's last end."""
    termination_message: str = ""
    """Termination message of that container, which may be anything that it can read."""
    unready: tuple[str, ...] = ()
    """Init containers, native sidecars among them, that run and are not ready."""
    modified: tuple[Modification, ...] = ()
    """Images that somebody else than the operator has set."""
    resource_version: int = 0

    @property
    def finished(self) -> bool:
        """True for a Pod that never runs again."""
        return self.phase in ("Failed", "Succeeded")

    @property
    def done(self) -> bool:
        """True for a Pod whose work has succeeded: it stays as one of the replicas.

        One that ended before an update in place had reached it has not done what the update asks for.
        """
        return self.ends and self.phase == "Succeeded" and not (self.terminating or self.restarting)

    @property
    def live(self) -> bool:
        """True for a Pod that counts as one of the replicas."""
        return not self.terminating and not self.finished

    def is_of(self, revision: str) -> bool:
        """Return whether it is of that revision, and neither on its way to another nor stuck on its way to
        this one."""
        return self.revision == revision and not (self.between or self.not_in_place)

    def has_arrived_at(self, revision: str) -> bool:
        """Return whether it is of that revision, and its node has carried out all changes in place."""
        changing = self.restarting or (self.settling and self.ready_since is not None)
        return self.is_of(revision) and not changing

    @property
    def _ready(self) -> bool:
        """False also where the node has yet to say so."""
        about_to_change = self.restarting or self.in_service is False
        return self.live and not about_to_change and self.ready_since is not None

    def available(self, now: float, min_ready_seconds: float) -> bool:
        """Return whether it has been ready for `min_ready_seconds`, and nothing in it is about to restart."""
        if not self._ready or self.ready_since is None:
            return False
        # Clocks are compared only where they have to be: the node's may be another than ours.
        return not min_ready_seconds or now - self.ready_since >= min_ready_seconds

    def available_after(self, now: float, min_ready_seconds: float) -> float | None:
        """Return the seconds after which time alone makes the Pod available; None if it is, or if something
        else has to happen first."""
        if not self._ready or self.ready_since is None:
            return None
        wait = self.ready_since + min_ready_seconds - now
        return wait if min_ready_seconds and wait > 0 else None

    def resize_left(self, now: float, timeout: float) -> float:
        """Return the seconds until its pending change of resources counts as impossible; it has one."""
        return 0 if self.resize_pending == "Infeasible" else self.resize_pending_since + timeout - now


def observe(obj: Mapping[str, Any]) -> Pod:
    """Return the record of a Pod as the API server sent it.

    Total: a Pod that can't be read counts as live and unavailable, so that its owner's status tells of it and
    none is created in its place.
    """
    try:
        return _observe(obj)
    except Exception as error:
        return _unreadable(obj, error)


def _observe(obj: Mapping[str, Any]) -> Pod:
    meta, status = mapping(obj.get("metadata")), mapping(obj.get("status"))
    labels, annotations = mapping(meta.get("labels")), mapping(meta.get("annotations"))
    phase = text(status.get("phase")) or "Pending"
    revision = intern(text(labels.get(REVISION)))
    containers = statuses(obj)
    created = time_of(meta.get("creationTimestamp")) or 0.0
    asked = resize(obj)
    finished = phase in ("Failed", "Succeeded")
    # Its node does nothing more to a Pod that has ended.
    waits = asked is not None and not finished and still_asked_for(obj, asked)
    unfinished = unfinished_resize(status) if waits else None
    diagnosis = diagnose(obj, containers, unfinished)
    finalizers = meta.get("finalizers")
    pending = unfinished if unfinished and unfinished.get("type") == "PodResizePending" else {}
    gate = _gate(obj, status)
    return Pod(
        name=text(meta.get("name")),
        uid=text(meta.get("uid")),
        revision=revision,
        created=created,
        configuration=intern(text(annotations.get(CONFIGURATION))),
        phase=intern(phase),
        node=intern(text(mapping(obj.get("spec")).get("nodeName"))),
        address=text(status.get("podIP")),
        ready_since=_ready_since(obj, status, containers, created),
        restarting=restarting(obj),
        settling=not finished and (not acknowledged(obj) or unfinished is not None),
        between=intern(asked.revision) if asked and asked.revision != revision else "",
        unready=_unready(status),
        resize_pending=intern(shown(text(pending.get("reason")), REASON_LENGTH)),
        resize_pending_since=time_of(pending.get("lastTransitionTime")) or 0.0,
        in_service=None if gate is None else gate.get("status") == "True",
        out_of_service_since=(
            time_of(gate.get("lastTransitionTime")) if gate and gate.get("status") == "False" else None
        ),
        mounting=_mounting(status),
        ends=_ends(obj),
        finished_at=_finished_at(containers, created) if finished else None,
        terminating=meta.get("deletionTimestamp") is not None,
        finalizers=_finalizers(finalizers) if isinstance(finalizers, list) else (),
        restarts=sum(_integer(c.get("restartCount")) for c in containers),
        retries=_retries(obj, containers),
        deletion_cost=_deletion_cost(text(annotations.get(DELETION_COST))),
        reason=diagnosis.reason,
        message=diagnosis.message,
        container=diagnosis.container,
        exit_code=diagnosis.exit_code,
        termination_message=diagnosis.termination_message,
        modified=modifications(obj),
        resource_version=int(text(meta.get("resourceVersion")) or 0),
    )


def _unreadable(obj: Mapping[str, Any], error: Exception) -> Pod:
    meta = mapping(obj.get("metadata"))
    version = text(meta.get("resourceVersion"))
    return Pod(
        name=text(meta.get("name")),
        uid=text(meta.get("uid")),
        revision=text(mapping(meta.get("labels")).get(REVISION)),
        created=time_of(meta.get("creationTimestamp")) or 0.0,
        phase=text(mapping(obj.get("status")).get("phase")) or "Pending",
        ends=_ends(obj),
        terminating=meta.get("deletionTimestamp") is not None,
        reason=PodReason.UNREADABLE.value,
        message=shown(f"the Pod has not the form of a Pod ({type(error).__name__})", MESSAGE_LENGTH),
        resource_version=int(version) if re.fullmatch("[0-9]{1,20}", version) else 0,
    )


def seconds(timestamp: str) -> float:
    """Return the Unix seconds of a metav1.Time or MicroTime."""
    return datetime.fromisoformat(timestamp).timestamp()


def time_of(timestamp: object) -> float | None:
    """Return the Unix seconds of a value that may be a metav1.Time; None if it is none."""
    try:
        return seconds(timestamp) if isinstance(timestamp, str) else None
    except (ValueError, OverflowError):
        return None


def timestamp(seconds: float) -> str:
    """Return the metav1.Time of Unix seconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _ends(obj: Mapping[str, Any]) -> bool:
    return text(mapping(obj.get("spec")).get("restartPolicy")) in ENDING


def _integer(value: object) -> int:
    return value if isinstance(value, int) else 0


def _state(container: Mapping[str, Any], which: str) -> Mapping[str, Any] | None:
    """Return the container's state if it is the one named `which`."""
    state = mapping(container.get("state")).get(which)
    return state if isinstance(state, dict) else None


def _unready(status: Mapping[str, Any]) -> tuple[str, ...]:
    found = mappings(status.get("initContainerStatuses"))
    return tuple(
        intern(text(c.get("name"))) for c in found if _state(c, "running") is not None and not c.get("ready")
    )


def _gate(obj: Mapping[str, Any], status: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the condition of the operator's readiness gate, empty without one; None without the gate."""
    gates = mappings(mapping(obj.get("spec")).get("readinessGates"))
    if all(gate.get("conditionType") != IN_SERVICE for gate in gates):
        return None
    return next((c for c in mappings(status.get("conditions")) if c.get("type") == IN_SERVICE), {})


def _ready_since(
    obj: Mapping[str, Any],
    status: Mapping[str, Any],
    containers: Sequence[Mapping[str, Any]],
    created: float,
) -> float | None:
    """Return the time since which all its containers are ready. Without a time from the node it is that of
    the creation, as for a ReplicaSet.

    One that was updated in place begins anew, though the Pod's condition may not have turned meanwhile.
    """
    for condition in mappings(status.get("conditions")):
        if condition.get("type") == "Ready" and condition.get("status") == "True":
            updated = updated_containers(obj) or ()
            running = [_state(c, "running") or {} for c in containers if text(c.get("name")) in updated]
            starts = [t for r in running if (t := time_of(r.get("startedAt"))) is not None]
            since = time_of(condition.get("lastTransitionTime"))
            return max([created if since is None else since, *starts])
    return None


def _finished_at(containers: Sequence[Mapping[str, Any]], created: float) -> float:
    ends = (time_of((_state(c, "terminated") or {}).get("finishedAt")) for c in containers)
    return max((end for end in ends if end is not None), default=created)


def _retries(obj: Mapping[str, Any], containers: Sequence[Mapping[str, Any]]) -> int:
    """Return the restarts by failures; an update in place has brought one to each of its containers."""
    init = mappings(mapping(obj.get("spec")).get("initContainers"))
    sidecars = {text(c.get("name")) for c in init if c.get("restartPolicy") == "Always"}
    updated = updated_containers(obj) or ()
    found = {text(c.get("name")): _integer(c.get("restartCount")) for c in containers}
    return sum(max(0, n - (name in updated)) for name, n in found.items() if name not in sidecars)


def _finalizers(names: Sequence[object]) -> tuple[str, ...]:
    kept = [shown(text(name), FINALIZER_LENGTH) for name in names[:FINALIZERS_KEPT]]
    return (*kept, "…") if len(names) > len(kept) else tuple(kept)


def _deletion_cost(cost: str) -> int:
    """Return the deletion cost as ReplicaSet reads it: 0 if it is no int32."""
    if not cost or not re.fullmatch("0|[1-9][0-9]{0,9}|-[0-9]{1,10}", cost):
        return 0
    return int(cost) if int(cost) in INT32 else 0


def _mounting(status: Mapping[str, Any]) -> bool:
    # https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-has-network
    if status.get("phase") != "Pending":
        return False
    found = mappings(status.get("conditions"))
    return any(c.get("type") == "PodReadyToStartContainers" and c.get("status") == "False" for c in found)
