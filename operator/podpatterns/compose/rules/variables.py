"""The rules for environment variables that helpers give to the application's containers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from podpatterns.compose.contribution import Variable
from podpatterns.compose.member import Member
from podpatterns.compose.rules.problem import Problem


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
