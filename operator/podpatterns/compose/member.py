"""A container on its way into the Pod: where it was declared and where it goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from podpatterns.api import SidecarApp
from podpatterns.compose.problem import Problem

Place = Literal["containers", "initContainers"]


@dataclass(frozen=True, slots=True)
class Member:
    container: dict[str, Any]
    path: str
    place: Place
    owner: int
    """Which object declared it: 0 is the application's own, 1… its parts in the order of `include`."""

    @property
    def name(self) -> str:
        return str(self.container.get("name", ""))

    @property
    def keeps_running(self) -> bool:
        """It runs beside the others, and so shares the port space with them; an init container ends first."""
        return self.place == "containers" or self.container.get("restartPolicy") == "Always"


def prefix(app: SidecarApp, owner: int) -> str:
    """What goes before the field path of something that a part declared."""
    return f"{app.kind} {app.metadata.name}: " if owner else ""


def members(objects: Sequence[SidecarApp]) -> list[Member]:
    """All containers in starting order: helpers BeforeApp, init containers, the application's, WithApp.

    Parts come before the application's own helpers, since those may rely on them.
    """
    app = objects[0]
    template_spec = (app.spec.template or {}).get("spec") or {}
    helpers = [m for owner in (*range(1, len(objects)), 0) for m in _helpers(objects[owner], owner)]

    def own(place: Place) -> Iterator[Member]:
        for i, container in enumerate(template_spec.get(place) or ()):
            yield Member(container, f"spec.template.spec.{place}[{i}]", place, 0)

    return [
        *(m for m in helpers if m.place == "initContainers"),
        *own("initContainers"),
        *own("containers"),
        *(m for m in helpers if m.place == "containers"),
    ]


def _helpers(declared_by: SidecarApp, owner: int) -> Iterator[Member]:
    for i, sidecar in enumerate(declared_by.spec.sidecars):
        path = f"{prefix(declared_by, owner)}spec.sidecars[{i}]"
        if sidecar.order == "BeforeApp":
            # A native sidecar: https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/
            yield Member({**sidecar.container, "restartPolicy": "Always"}, path, "initContainers", owner)
        else:
            yield Member(dict(sidecar.container), path, "containers", owner)


def name_problems(all_members: Sequence[Member]) -> Iterator[Problem]:
    if not any(m.place == "containers" and m.path.startswith("spec.template.") for m in all_members):
        yield Problem("spec.template.spec.containers", "the application has no container: name at least one")
    seen: dict[str, Member] = {}
    for member in all_members:
        other = seen.setdefault(member.name, member)
        if other is not member:
            yield Problem(
                f"{member.path}.name",
                f'"{member.name}" is taken by {other.path}: container names are unique in a Pod, rename one',
            )


def port_problems(all_members: Iterable[Member]) -> Iterator[Problem]:
    """Containers of a Pod share one port space; two that listen on one port never both start."""
    seen: dict[tuple[Any, str], str] = {}
    for member in all_members:
        if not member.keeps_running:
            continue
        for i, port in enumerate(member.container.get("ports") or ()):
            path = f"{member.path}.ports[{i}].containerPort"
            number, protocol = port.get("containerPort"), port.get("protocol", "TCP")
            other = seen.setdefault((number, protocol), path)
            if other != path:
                yield Problem(
                    path,
                    f"{protocol} port {number} is taken by {other}: the containers of a Pod share one port "
                    "space, give one of them another port",
                    "PortsConflict",
                )
