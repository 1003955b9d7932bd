"""The composition: one Pod template out of an application and the parts that it includes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from podpatterns.api import Pattern, SidecarApp
from podpatterns.compose.member import members, name_problems, port_problems
from podpatterns.compose.problem import CannotCompose, Problem
from podpatterns.compose.revision import revision
from podpatterns.compose.volumes import shared_memory, shared_volumes, volume_problems, with_mounts

Key = tuple[str, str]
"""Kind and name of a part, in the namespace of the object that includes it."""


@dataclass(frozen=True, slots=True)
class Composition:
    template: dict[str, Any]
    """A core/v1 PodTemplateSpec."""
    revision: str
    """A hash of all that shapes the Pod: the same words, the same hash, in every version of the operator."""


def compose(app: SidecarApp, parts: Mapping[Key, Pattern]) -> Composition:
    """Compose the Pod of `app`, which has a template.

    `parts` are the objects that exist among those that `app` includes.
    Raises CannotCompose with every problem found.
    """
    objects = [app, *_included(app, parts)]
    everyone = members(objects)
    shared = shared_volumes(objects)
    memory = shared_memory(objects)
    template = app.spec.template or {}
    spec = template.get("spec") or {}
    own_volumes = [str(v.get("name")) for v in spec.get("volumes") or ()]

    problems = [
        *name_problems(everyone),
        *port_problems(everyone),
        *volume_problems(objects, everyone, shared, own_volumes),
    ]
    if problems:
        raise CannotCompose(problems)

    volumes = [*(spec.get("volumes") or ()), *(s.manifest() for s in shared), *([memory] if memory else ())]

    def place(where: str) -> list[dict[str, Any]]:
        return [with_mounts(m, shared, memory) for m in everyone if m.place == where]

    composed = {**spec, "containers": place("containers")}
    if init_containers := place("initContainers"):
        composed["initContainers"] = init_containers
    if volumes:
        composed["volumes"] = volumes
    return Composition(
        template={"metadata": template.get("metadata") or {}, "spec": composed},
        revision=revision(objects),
    )


def _included(app: SidecarApp, parts: Mapping[Key, Pattern]) -> list[SidecarApp]:
    found: list[SidecarApp] = []
    problems: list[Problem] = []
    for i, include in enumerate(app.spec.include):
        path = f"spec.include[{i}]"
        part = parts.get((include.kind, include.name))
        if part is None:
            problems.append(
                Problem(
                    path,
                    f'there is no {include.kind} "{include.name}" in namespace {app.metadata.namespace}: '
                    "create it or take the entry out",
                    "PartNotFound",
                )
            )
        elif part.spec.template is not None:
            problems.append(
                Problem(
                    path,
                    f'{include.kind} "{include.name}" has a template and so makes Pods of its own: '
                    "only an object without spec.template can be included",
                )
            )
        elif not isinstance(part, SidecarApp):
            problems.append(
                Problem(
                    path, f"this version of podpatterns can't include {include.kind} yet", "KindNotServed"
                )
            )
        else:
            found.append(part)
    if problems:
        raise CannotCompose(problems)
    return found
