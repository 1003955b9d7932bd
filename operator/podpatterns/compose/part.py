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
"""Characters of a container's name, a DNS label."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of the objects that make a Pod."""

    pattern: Pattern
    owner: int
    """Index of the object: 0 is the application, 1… its parts in the order of `include`."""
    config_map: str
    """Name of the ConfigMap with the Pod's configuration files."""

    @property
    def prefix(self) -> str:
        """Prefix of a field path of an included part."""
        return f"{self.pattern.kind} {self.pattern.metadata.name}: " if self.owner else ""

    def path(self, field: str) -> str:
        return f"{self.prefix}{field}"

    def helper_name(self, role: str) -> str:
        """Return the name of a composed container.

        In a part it ends with the part's name, so that an application can include several Ambassadors.
        """
        return f"{role}-{self.pattern.metadata.name.replace('.', '-')}" if self.owner else role

    @property
    def shape(self) -> dict[str, str]:
        """Fields of the part itself that shape the Pod: its name, which its containers carry."""
        return {"kind": self.pattern.kind, **({"name": self.pattern.metadata.name} if self.owner else {})}

    def name_problems(self, role: str) -> tuple[Problem, ...]:
        if len(self.helper_name(role)) <= MAX_CONTAINER_NAME:
            return ()
        most = MAX_CONTAINER_NAME - len(role) - 1
        message = f"longer than {most} characters: containers are named after it, shorten it"
        return (Problem(self.path("metadata.name"), message),)


def config_map_name(app: Pattern) -> str:
    """Return the name of the ConfigMap with the configuration files of an application's Pods."""
    return f"{app.kind.lower()}-{app.metadata.name}"


def parts_of(app: Pattern, available: Mapping[Key, Pattern]) -> list[Part]:
    """Return the application, then the parts that it includes, of those `available`.

    Raises CannotCompose for a part that is missing or has a template.
    """
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
