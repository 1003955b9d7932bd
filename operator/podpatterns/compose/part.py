"""The objects that make one Pod: the application, and the parts that it includes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from podpatterns.api import Pattern
from podpatterns.api.bounds import POD_PARTS
from podpatterns.api.conditions import Reason
from podpatterns.api.include import Include
from podpatterns.compose.rules.problem import CannotCompose, Problem

Key = tuple[str, str, str]
"""Kind, namespace and name of an object."""

MAX_CONTAINER_NAME = 63
"""Characters of a container's name, a DNS label."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of the objects that make a Pod."""

    pattern: Pattern
    owner: int
    """Index of the object: 0 is the application, 1… its parts, each after those that it includes."""
    config_map: str
    """Name of the ConfigMap with the Pod's configuration files."""
    namespace: str = ""
    """Namespace of the Pod."""
    includes: tuple[int | None, ...] = ()
    """Indexes of the parts that the object includes itself, in the order of `include`. None of one that is
    not known, where nobody makes Pods of these parts."""

    @property
    def named(self) -> str:
        """Kind and name, with the namespace where it is not the Pod's: SidecarApp platform/git-sync."""
        return _named(key_of(self.pattern), self.namespace)

    @property
    def prefix(self) -> str:
        """Prefix of a field path of an included part."""
        return f"{self.named}: " if self.owner else ""

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


def key_of(pattern: Pattern) -> Key:
    return pattern.kind, pattern.metadata.namespace, pattern.metadata.name


def included(pattern: Pattern) -> Iterator[Key]:
    """Yield the parts that the object includes itself."""
    return (_referent(include, pattern) for include in pattern.spec.include)


def parts_of(app: Pattern, available: Iterable[Pattern]) -> list[Part]:
    """Return the application, then the parts that it includes, of those `available`.

    A part stands after those that it includes, and once, however often it is included.
    Raises CannotCompose for a part that is missing, not shared, has a template or includes itself.
    """
    search = _Search(app, available)
    search.visit(app, (key_of(app),))
    if search.problems:
        raise CannotCompose(search.problems)
    return [search.found[owner] for owner in sorted(search.found)]


def too_many_parts() -> Problem:
    return Problem("spec.include", f"the Pod would have more than {POD_PARTS} parts: take some out")


class _Search:
    """The search for the parts of one object, depth first.

    A part that nobody makes Pods of is searched too, for what is wrong with its own `include`. Which of other
    namespaces' parts exist is told to nobody with whom they are not shared.
    """

    def __init__(self, root: Pattern, available: Iterable[Pattern]) -> None:
        self._available = {key_of(pattern): pattern for pattern in available}
        self._namespace = root.metadata.namespace
        self._makes_pods = root.spec.template is not None
        self._config_map = config_map_name(root)
        self._owners: dict[Key, int] = {}
        self.found: dict[int, Part] = {}
        self.problems: list[Problem] = []

    def visit(self, pattern: Pattern, trail: tuple[Key, ...]) -> int:
        """Note an object after those that it includes; return its index. `trail` leads to it."""
        prefix = f"{_named(trail[-1], self._namespace)}: " if len(trail) > 1 else ""
        owners: list[int | None] = []
        for i, include in enumerate(pattern.spec.include):
            referent = _referent(include, pattern)
            if (known := self._owners.get(referent)) is not None:
                owners.append(known)
                continue
            if len(self._owners) + len(trail) > POD_PARTS:
                self.problems.append(too_many_parts())
                break
            found = self._available.get(referent)
            child = None
            if found is not None and self._may_include(found):
                if problem := self._problem(found, referent, trail):
                    self.problems.append(Problem(f"{prefix}spec.include[{i}]", problem))
                else:
                    child = self.visit(found, (*trail, referent))
            elif absent := self._absent(referent):
                self.problems.append(Problem(f"{prefix}spec.include[{i}]", *absent))
            owners.append(child)
        owner = len(self._owners) + 1 if len(trail) > 1 else 0
        self._owners[trail[-1]] = owner
        self.found[owner] = Part(pattern, owner, self._config_map, self._namespace, tuple(owners))
        return owner

    def _may_include(self, part: Pattern) -> bool:
        shared = part.spec.shared_with
        return part.metadata.namespace == self._namespace or (
            shared is not None and shared.allows(self._namespace)
        )

    def _problem(self, part: Pattern, referent: Key, trail: tuple[Key, ...]) -> str:
        """Return what is wrong with a part that is there; empty if nothing is."""
        if referent in trail:
            first, *others = [
                _named(key, self._namespace) for key in (*trail[trail.index(referent) :], referent)
            ]
            cycle = ", which includes ".join(others)
            return f"{first} includes {cycle}: take one of these entries out"
        if part.spec.template is not None:
            return (
                f'{part.kind} "{part.metadata.name}" has a template and so makes Pods of its own: '
                "only an object without spec.template can be included"
            )
        return ""

    def _absent(self, referent: Key) -> tuple[str, Reason] | None:
        """Return what is wrong with a part that is not there or not shared; None if that is not to be
        told."""
        kind, namespace, name = referent
        if namespace == self._namespace:
            message = f'there is no {kind} "{name}" in namespace {namespace}: create it or take the entry out'
            return message, Reason.PART_NOT_FOUND
        if not self._makes_pods:
            return None
        message = (
            f'there is no {kind} "{name}" in namespace {namespace} that is shared with namespace '
            f"{self._namespace}: have its owner add {self._namespace} to its spec.sharedWith.namespaces, "
            "or take the entry out"
        )
        return message, Reason.PART_NOT_SHARED


def _referent(include: Include, of: Pattern) -> Key:
    return include.kind, include.namespace or of.metadata.namespace, include.name


def _named(key: Key, namespace: str) -> str:
    kind, own, name = key
    return f"{kind} {name}" if own == namespace else f"{kind} {own}/{name}"
