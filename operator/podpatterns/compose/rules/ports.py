"""The rules for the ports of a Pod, whose containers share one port space."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from podpatterns.api.conditions import Reason
from podpatterns.compose.podcontainer import PodContainer
from podpatterns.compose.rules.problem import Problem


def port_problems(containers: Iterable[PodContainer]) -> Iterator[Problem]:
    """Yield a problem for each port of a second container: two that listen on one port never both start.

    A container that people wrote may name a port twice, for two ports of the node.
    """
    seen: dict[tuple[Any, str], tuple[PodContainer, str]] = {}
    for container in containers:
        if not container.keeps_running:
            continue
        for i, port in enumerate(container.manifest.get("ports") or ()):
            path = container.field(f"ports[{i}].containerPort")
            number, protocol = port.get("containerPort"), port.get("protocol", "TCP")
            holder, other = seen.setdefault((number, protocol), (container, path))
            if other != path and (holder is not container or container.composed):
                yield Problem(
                    path,
                    f"{protocol} port {number} is taken by {other}: the containers of a Pod share one port "
                    "space, give one of them another port",
                    Reason.PORTS_CONFLICT,
                )


def host_port_problems(containers: Iterable[PodContainer]) -> Iterator[Problem]:
    """Yield a problem for each port of the node that is asked for twice, where the API server refuses it.

    That is among the Pod's containers, and in each init container.
    """
    seen: dict[tuple[Any, ...], str] = {}
    for container in containers:
        alone = container.name if container.container_list == "initContainers" else None
        for i, port in enumerate(container.manifest.get("ports") or ()):
            number = port.get("hostPort")
            if not number:
                continue
            path = container.field(f"ports[{i}].hostPort")
            key = alone, number, port.get("hostIP") or "", port.get("protocol") or "TCP"
            other = seen.setdefault(key, path)
            if other != path:
                yield Problem(
                    path,
                    f"port {number} of the node is taken by {other}: give one of them another hostPort",
                    Reason.PORTS_CONFLICT,
                )
