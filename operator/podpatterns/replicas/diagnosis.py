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
"""Reasons whose messages speak of images and configuration. Those of others may be a container's words:
RunContainerError, for one, tells its arguments with every variable expanded."""
REASON_LENGTH = 64
MESSAGE_LENGTH = 400
"""Bytes of other people's words that a record keeps."""


class Diagnosis(NamedTuple):
    reason: str = ""
    """In Kubernetes' own word: Evicted, ImagePullBackOff, CrashLoopBackOff, …; empty for a healthy Pod."""
    message: str = ""
    """The same as a sentence of node or server."""
    container: str = ""
    """Empty when it is about the whole Pod."""
    exit_code: int | None = None
    """With which the container ended last."""
    last_words: str = ""
    """The container's own."""


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
    """The condition that tells of a change of resources which is not carried out yet (KEP-1287)."""
    for condition in mappings(status.get("conditions")):
        unfinished = condition.get("type") in ("PodResizePending", "PodResizeInProgress")
        if unfinished and condition.get("status") == "True":
            return condition
    return None


def _reason(reason: str) -> str:
    return intern(shown(reason, REASON_LENGTH))
