"""The objects that make one Pod: the application, and the parts that it includes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from podpatterns.api import Pattern
from podpatterns.api.conditions import Reason
from podpatterns.compose.rules.problem import CannotCompose, Problem

Key = tuple[str, str]
"""Kind and name of a part, in the namespace of the object that includes it."""

MAX_CONTAINER_NAME = 63
"""A container's name is a DNS label."""


@dataclass(frozen=True, slots=True)
class Part:
    """An object in its place in the Pod."""

    pattern: Pattern
    owner: int
    """0 is the application, 1… its parts in the order of `include`."""
    config_map: str
    """The ConfigMap of the Pod's configuration files."""

    @property
    def prefix(self) -> str:
        """What goes before the field path of something that an included part declared."""
        return f"{self.pattern.kind} {self.pattern.metadata.name}: " if self.owner else ""

    def path(self, field: str) -> str:
        return f"{self.prefix}{field}"

    def helper_name(self, role: str) -> str:
        """The name of a container that the operator composes. One that a part brings carries the part's name,
        so that an application can include several Ambassadors."""
        return f"{role}-{self.pattern.metadata.name.replace('.', '-')}" if self.owner else role

    @property
    def shape(self) -> dict[str, str]:
        """What of the place itself shapes the Pod: the name of a part, which its containers carry."""
        return {"kind": self.pattern.kind, **({"name": self.pattern.metadata.name} if self.owner else {})}

    def name_problems(self, role: str) -> tuple[Problem, ...]:
        if len(self.helper_name(role)) <= MAX_CONTAINER_NAME:
            return ()
        most = MAX_CONTAINER_NAME - len(role) - 1
        message = f"longer than {most} characters: containers are named after it, shorten it"
        return (Problem(self.path("metadata.name"), message),)


def config_map_name(app: Pattern) -> str:
    """The name of the ConfigMap with the configuration files of an application's Pods."""
    return f"{app.kind.lower()}-{app.metadata.name}"


def parts_of(app: Pattern, available: Mapping[Key, Pattern]) -> list[Part]:
    """The application first, then what it includes of those `available`."""
    config_map = config_map_name(app)
    found = [Part(app, 0, config_map)]
    problems: list[Problem] = []
    for i, include in enumerate(app.spec.include):
        path = f"spec.include[{i}]"
        part = available.get((include.kind, include.name))
        if part is None:
            problems.append(
                Problem(
                    path,
                    f'there is no {include.kind} "{include.name}" in namespace {app.metadata.namespace}: '
                    "create it or take the entry out",
                    Reason.PART_NOT_FOUND,
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
        else:
            found.append(Part(part, len(found), config_map))
    if problems:
        raise CannotCompose(problems)
    return found
