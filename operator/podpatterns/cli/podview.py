"""A Pod and its containers in a few words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from podpatterns.api.text import shown

Json = Mapping[str, Any]
WAITING = "waiting"
REASON_LENGTH = 64
IMAGE_LENGTH = 256


@dataclass(frozen=True, slots=True)
class ContainerView:
    name: str
    role: str
    """init container, native sidecar or container."""
    ready: bool
    status: str
    """Running, or why it doesn't run."""
    restarts: int
    image: str
    id: str
    """ID of the container that runs or ran last; empty while there is none."""

    @property
    def keeps_running(self) -> bool:
        return self.role != "init container"


@dataclass(frozen=True, slots=True)
class PodView:
    name: str
    uid: str
    ready: str
    """Ready containers, and those that keep running: 1/2."""
    is_ready: bool
    status: str
    """Running, or what the Pod waits for, in one word."""
    message: str
    """What else there is to say of a Pod that is not ready."""
    restarts: int
    containers: tuple[ContainerView, ...]


def pod_view(pod: Json) -> PodView:
    containers = tuple(_containers(pod))
    lasting = [c for c in containers if c.keeps_running]
    meta, status = pod["metadata"], pod.get("status") or {}
    conditions = {c["type"]: c["status"] for c in status.get("conditions") or ()}
    ready = conditions.get("Ready") == "True"
    reason, message = ("", "") if ready else _diagnosis(pod)
    word = reason or str(status.get("phase") or "Pending")
    return PodView(
        name=str(meta["name"]),
        uid=str(meta["uid"]),
        ready=f"{sum(c.ready for c in lasting)}/{len(lasting)}",
        is_ready=ready and not meta.get("deletionTimestamp"),
        status="Terminating" if meta.get("deletionTimestamp") else word,
        message=message,
        restarts=sum(c.restarts for c in containers),
        containers=containers,
    )


def _diagnosis(pod: Json) -> tuple[str, str]:
    """Return the reason why a Pod is not ready, as the operator judges it, and its message."""
    from podpatterns.replicas.diagnosis import diagnose  # noqa: PLC0415 (slow to import)

    found = diagnose(pod, [status for status in _statuses(pod).values() if status], None)
    told = [f"container {found.container}"] if found.container else []
    if found.exit_code is not None:
        told.append(f"exit code {found.exit_code}")
    about = ", ".join(told)
    return found.reason, ": ".join(filter(None, (about, found.message or found.termination_message)))


def _containers(pod: Json) -> Iterator[ContainerView]:
    """Yield the containers in the order in which they start."""
    statuses = _statuses(pod)
    for container_list in ("initContainers", "containers"):
        for container in pod["spec"].get(container_list) or ():
            role = "container"
            if container_list == "initContainers":
                role = "native sidecar" if container.get("restartPolicy") == "Always" else "init container"
            status = statuses.get(container["name"]) or {}
            yield ContainerView(
                name=str(container["name"]),
                role=role,
                ready=bool(status.get("ready")),
                status=_state(status),
                restarts=int(status.get("restartCount") or 0),
                image=shown(str(container.get("image", "")), IMAGE_LENGTH),
                id=str(status.get("containerID") or ""),
            )


def _statuses(pod: Json) -> dict[str, Json]:
    status = pod.get("status") or {}
    found: Sequence[Json] = [
        *(status.get("initContainerStatuses") or ()),
        *(status.get("containerStatuses") or ()),
    ]
    return {str(one["name"]): one for one in found}


def _state(status: Json) -> str:
    """Return the state of a container as `kubectl get pods` names it."""
    state = status.get("state") or {}
    if "running" in state:
        return "Running" if status.get("ready") else "NotReady"
    ended = state.get("terminated")
    if ended:
        return shown(str(ended.get("reason") or f"ExitCode:{ended.get('exitCode')}"), REASON_LENGTH)
    return shown(str((state.get(WAITING) or {}).get("reason") or "Waiting"), REASON_LENGTH)
