"""Diagnosis: the reason why a Pod is unhealthy, read from its status.

Its words are those of Kubernetes: reasons of container states and of Pod conditions, with the scheduler's and
the kubelet's messages.

A container's termination message may hold anything that it can read, the value of a
Secret among it. They are kept apart from what node and server say: a status, which more people may read than
the Pod's Secrets, shows them only of containers that the operator composed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from sys import intern
from typing import Any, NamedTuple

from podpatterns.api.text import listed, shown
from podpatterns.replicas.reading import mapping, mappings, text

FINISHED = ("Failed", "Succeeded")
STARTING = ("PodInitializing", "ContainerCreating")
OF_THE_KUBELET = (
    "CreateContainerConfigError",
    "ErrImageNeverPull",
    "ErrImagePull",
    "ImageInspectError",
    "ImagePullBackOff",
    "InvalidImageName",
)
"""Reasons whose messages are about images and configuration. Messages of other reasons may repeat what a
container is given: that of RunContainerError has its arguments with every variable expanded."""
REASON_LENGTH = 64
MESSAGE_LENGTH = 400
"""Bytes of a message that a record keeps."""


class Diagnosis(NamedTuple):
    reason: str = ""
    """Kubernetes' reason: Evicted, ImagePullBackOff, CrashLoopBackOff, …; empty for a healthy Pod."""
    message: str = ""
    """Message of the node or the API server."""
    container: str = ""
    """Container concerned; empty when it is the whole Pod."""
    exit_code: int | None = None
    """Exit code of the container's last end."""
    termination_message: str = ""
    """Termination message of the container."""


def diagnose(
    pod: Mapping[str, Any], containers: Sequence[Mapping[str, Any]], resize: Mapping[str, Any] | None
) -> Diagnosis:
    """Judge a Pod by its status, its ContainerStatuses and the condition of its unfinished resize."""
    status = mapping(pod.get("status"))
    if reason := text(status.get("reason")):
        return Diagnosis(_reason(reason), shown(text(status.get("message")), MESSAGE_LENGTH))
    for container in containers:
        waiting = mapping(mapping(container.get("state")).get("waiting"))
        reason = text(waiting.get("reason"))
        if reason and reason not in STARTING:
            return _of(container, reason, text(waiting.get("message")) if reason in OF_THE_KUBELET else "")
    if resize and (reason := text(resize.get("reason"))):  # Deferred or Infeasible; Error while under way
        return Diagnosis(_reason(f"Resize{reason}"), shown(text(resize.get("message")), MESSAGE_LENGTH))
    ends = mapping(pod.get("metadata")).get("deletionTimestamp") or status.get("phase") in FINISHED
    return Diagnosis() if ends else next(_unfulfilled(pod, status, containers), Diagnosis())


def _unfulfilled(
    pod: Mapping[str, Any], status: Mapping[str, Any], containers: Sequence[Mapping[str, Any]]
) -> Iterator[Diagnosis]:
    """Yield what a Pod that is not ready waits for: the scheduler, its init containers, the others, or its
    readiness gates."""
    false = {text(c.get("type")): c for c in mappings(status.get("conditions")) if c.get("status") == "False"}
    spec = mapping(pod.get("spec"))
    if (scheduled := false.get("PodScheduled")) and (reason := text(scheduled.get("reason"))):
        gates = [text(gate.get("name")) for gate in mappings(spec.get("schedulingGates"))]
        message = f"gate {listed(gates)}" if reason == "SchedulingGated" else text(scheduled.get("message"))
        yield Diagnosis(_reason(reason), shown(message, MESSAGE_LENGTH))
    if "Ready" not in false:
        return
    found = [mappings(spec.get(name)) for name in ("initContainers", "containers")]
    written = {text(c.get("name")): c for container_list in found for c in container_list}
    init = {text(c.get("name")) for c in found[0] if c.get("restartPolicy") != "Always"}
    for container in sorted(containers, key=lambda c: text(c.get("name")) not in init):
        name = text(container.get("name"))
        if name in init:
            yield from _incomplete(container, "ContainersNotInitialized", {})
        elif not container.get("ready"):
            yield from _incomplete(container, "ContainersNotReady", written.get(name, {}))
    if false["Ready"].get("reason") == "ReadinessGatesNotReady":
        yield Diagnosis("ReadinessGatesNotReady", shown(text(false["Ready"].get("message")), MESSAGE_LENGTH))


def _incomplete(container: Mapping[str, Any], reason: str, written: Mapping[str, Any]) -> Iterator[Diagnosis]:
    """Yield a container that runs, with the probe that its Pod waits for, or one that failed."""
    state = mapping(container.get("state"))
    if isinstance(state.get("running"), dict):
        probe = "readinessProbe" if container.get("started") else "startupProbe"
        yield _of(container, reason, f"its {probe} has not succeeded" if written.get(probe) else "")
    elif mapping(state.get("terminated")).get("exitCode", 0) != 0:
        yield _of(container, reason, "")


def _of(container: Mapping[str, Any], reason: str, message: str) -> Diagnosis:
    now, last = (mapping(mapping(container.get(of)).get("terminated")) for of in ("state", "lastState"))
    ended = now or last
    code = ended.get("exitCode")
    return Diagnosis(
        _reason(reason),
        shown(message, MESSAGE_LENGTH),
        intern(shown(text(container.get("name")), REASON_LENGTH)),
        code if isinstance(code, int) else None,
        shown(text(ended.get("message")), MESSAGE_LENGTH),
    )


def unfinished_resize(status: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the condition of a resize that the node has not carried out yet (KEP-1287)."""
    for condition in mappings(status.get("conditions")):
        unfinished = condition.get("type") in ("PodResizePending", "PodResizeInProgress")
        if unfinished and condition.get("status") == "True":
            return condition
    return None


def _reason(reason: str) -> str:
    return intern(shown(reason, REASON_LENGTH))
