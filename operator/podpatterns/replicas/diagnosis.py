"""Diagnosis: the reason why a Pod is unhealthy, read from its status.

A container's termination message may hold anything that it can read, the value of a
Secret among it. They are kept apart from what node and server say: a status, which more people may read than
the Pod's Secrets, shows them only of containers that the operator composed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from sys import intern
from typing import Any, NamedTuple

from podpatterns.api.text import shown
from podpatterns.replicas.reading import mapping, mappings, text

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
    status: Mapping[str, Any], containers: Sequence[Mapping[str, Any]], resize: Mapping[str, Any] | None
) -> Diagnosis:
    """Judge a Pod by its status, its ContainerStatuses and the condition of its unfinished resize."""
    if reason := text(status.get("reason")):
        return Diagnosis(_reason(reason), shown(text(status.get("message")), MESSAGE_LENGTH))
    for container in containers:
        waiting = mapping(mapping(container.get("state")).get("waiting"))
        reason = text(waiting.get("reason"))
        if reason and reason not in STARTING:
            message = text(waiting.get("message")) if reason in OF_THE_KUBELET else ""
            ended = mapping(mapping(container.get("lastState")).get("terminated"))
            code = ended.get("exitCode")
            return Diagnosis(
                _reason(reason),
                shown(message, MESSAGE_LENGTH),
                intern(shown(text(container.get("name")), REASON_LENGTH)),
                code if isinstance(code, int) else None,
                shown(text(ended.get("message")), MESSAGE_LENGTH),
            )
    if resize and (reason := text(resize.get("reason"))):  # Deferred or Infeasible; Error while under way
        return Diagnosis(_reason(f"Resize{reason}"), shown(text(resize.get("message")), MESSAGE_LENGTH))
    return Diagnosis()


def unfinished_resize(status: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the condition of a resize that the node has not carried out yet (KEP-1287)."""
    for condition in mappings(status.get("conditions")):
        unfinished = condition.get("type") in ("PodResizePending", "PodResizeInProgress")
        if unfinished and condition.get("status") == "True":
            return condition
    return None


def _reason(reason: str) -> str:
    return intern(shown(reason, REASON_LENGTH))
