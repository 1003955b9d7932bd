"""The rules for environment variables that helpers give to the application's containers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from podpatterns.compose.podcontainer import PodContainer
from podpatterns.compose.podfragment import Variable
from podpatterns.compose.rules.problem import Problem


def variable_problems(containers: Sequence[PodContainer], variables: Sequence[Variable]) -> Iterator[Problem]:
    seen: dict[str, Variable] = {}
    for variable in variables:
        other = seen.setdefault(variable.name, variable)
        if other.value != variable.value:
            yield Problem(
                variable.path, f'"{variable.name}" is {other.value} by {other.path}: choose another name'
            )
    for container in containers:
        for i, declared in (
            enumerate(container.manifest.get("env") or ()) if container.of_the_application else ()
        ):
            if taken := seen.get(declared.get("name", "")):
                yield Problem(
                    taken.path,
                    f'"{taken.name}" is already set by {container.path}.env[{i}]: '
                    "take it out there or choose another name",
                )
