"""Environment variables that helpers give to the application's containers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from podpatterns.compose.contribution import Variable
from podpatterns.compose.member import Member
from podpatterns.compose.problem import Problem


def env(variables: Sequence[Variable]) -> list[dict[str, Any]]:
    """The variables as a container has them."""
    values = {v.name: v.value for v in variables}
    return [{"name": name, "value": value} for name, value in values.items()]


def with_variables(
    member: Member, container: dict[str, Any], added: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """`container`, `member`'s, with the variables if it is one of the application's. Init containers are
    included: they run once the helpers are up.

    They come first, so that variables of the container can refer to them: $(REDIS_HOST).
    """
    if not member.of_the_application or not added:
        return container
    return {**container, "env": [*added, *(container.get("env") or ())]}


def variable_problems(all_members: Sequence[Member], variables: Sequence[Variable]) -> Iterator[Problem]:
    seen: dict[str, Variable] = {}
    for variable in variables:
        other = seen.setdefault(variable.name, variable)
        if other.value != variable.value:
            yield Problem(
                variable.path, f'"{variable.name}" is {other.value} by {other.path}: choose another name'
            )
    for member in all_members:
        for i, declared in enumerate(member.container.get("env") or ()) if member.of_the_application else ():
            if taken := seen.get(declared.get("name", "")):
                yield Problem(
                    taken.path,
                    f'"{taken.name}" is already set by {member.path}.env[{i}]: '
                    "take it out there or choose another name",
                )
