"""The rules for the containers of a Pod: their names and shared processes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from podpatterns.compose.podcontainer import PodContainer
from podpatterns.compose.podfragment import PodFragment
from podpatterns.compose.rules.problem import Problem, shown


def no_container(containers: Sequence[PodContainer]) -> Iterator[Problem]:
    if not any(c.container_list == "containers" and c.of_the_application for c in containers):
        yield Problem("spec.template.spec.containers", "the application has no container: name at least one")


def name_problems(containers: Sequence[PodContainer]) -> Iterator[Problem]:
    seen: dict[str, PodContainer] = {}
    for container in containers:
        other = seen.setdefault(container.name, container)
        if other is not container:
            holder = f"a helper that the operator adds ({other.path})" if other.composed else other.path
            yield Problem(
                f"{container.path}.name",
                f'"{shown(container.name)}" is taken by {holder}: container names are unique in a Pod, '
                "rename one",
            )


def process_problems(spec: Mapping[str, Any], fragments: Sequence[PodFragment]) -> Iterator[Problem]:
    """Yield a problem if processes must be shared and the template forbids it.

    Containers that see the node's processes see the Pod's among them.
    """
    needed = next((f.shared_processes for f in fragments if f.shared_processes), None)
    if needed and spec.get("shareProcessNamespace") is False and not spec.get("hostPID"):
        yield Problem(
            "spec.template.spec.shareProcessNamespace",
            f"{needed} needs the containers to see each other's processes: take this field out",
        )
