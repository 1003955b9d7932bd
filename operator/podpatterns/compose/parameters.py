"""Parameters: the variables and resources that an object gives to the parts that it includes.

What the outermost object gives has the last word: an application's word counts more than that of a part which
includes another. A value reaches each container of the part, and of the parts that it includes, which
declares the variable.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from podpatterns.api.include import Include
from podpatterns.api.text import NAME_LENGTH, listed, shown
from podpatterns.compose.helpers.helper import helper_of
from podpatterns.compose.part import Part
from podpatterns.compose.podcontainer import PodContainer
from podpatterns.compose.podfragment import PodFragment
from podpatterns.compose.rules.problem import Problem


@dataclass(frozen=True, slots=True)
class Given:
    """What is given for one variable, or for the resources of one container."""

    manifest: Mapping[str, Any]
    """The core/v1 EnvVar or ResourceRequirements."""
    path: str
    """Field that gives it."""


@dataclass(frozen=True, slots=True)
class Names:
    """What can be given to one part."""

    variables: frozenset[str]
    containers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Parameters:
    """What is given to one part."""

    env: Mapping[str, Given]
    """By the variable's name."""
    resources: Mapping[str, Given]
    """By the container's name."""

    def within(self, other: Parameters) -> Parameters:
        """Return these with those of `other`, which have the last word."""
        return Parameters({**self.env, **other.env}, {**self.resources, **other.resources})

    def of(self, names: Names) -> Parameters:
        """Return those of the variables and containers."""
        return Parameters(_only(self.env, names.variables), _only(self.resources, names.containers))

    def differing(self, other: Parameters) -> list[str]:
        """Return the names of variables and containers to which the other gives something else."""
        return [*_differing(self.env, other.env), *_differing(self.resources, other.resources)]

    def shape(self) -> dict[str, Any]:
        """Return what goes into the revision."""
        both = {"env": self.env, "resources": self.resources}
        given = {
            name: {key: dict(value.manifest) for key, value in values.items()}
            for name, values in both.items()
            if values
        }
        return {"include": given} if given else {}


NOTHING = Parameters({}, {})
MOST_COMPARED = 128
"""Names among which a similar one is looked for, which takes a while."""


def with_parameters(parts: Sequence[Part], fragments: Sequence[PodFragment]) -> list[PodFragment]:
    """Return the fragments of the parts with the variables of each part, and with what is given to it.

    Parts stand after those that they include, as `parts_of` returns them.
    """
    return list(_Giving(parts, fragments).fragments())


def giving_problems(parts: Sequence[Part], fragments: Sequence[PodFragment]) -> list[Problem]:
    """Return what is wrong with what the parts give to each other, whoever makes Pods of them."""
    problems: list[Problem] = []
    _Giving(parts, fragments).given(problems)
    return problems


class _Giving:
    def __init__(self, parts: Sequence[Part], fragments: Sequence[PodFragment]) -> None:
        self._parts = parts
        self._fragments = fragments
        self._own = {p.owner: _declared(p, f) for p, f in zip(parts[1:], fragments[1:], strict=True)}
        self._below: dict[int, frozenset[int]] = {}
        """Indexes of a part and of all that it includes."""
        self._names: dict[int, Names] = {}
        """What can be given to all these."""
        self._unknown: set[int] = set()
        """Those that include a part which is not known."""
        for part in parts[1:]:
            owner, own = part.owner, self._own[part.owner]
            children = [child for child in part.includes if child is not None]
            below = [self._names[child] for child in children]
            self._below[owner] = frozenset({owner}).union(*(self._below[child] for child in children))
            if None in part.includes or not self._unknown.isdisjoint(children):
                self._unknown.add(owner)
            self._names[owner] = Names(
                own.variables.union(*(names.variables for names in below)),
                own.containers.union(*(names.containers for names in below)),
            )

    def fragments(self) -> Iterator[PodFragment]:
        first, *others = self._fragments
        problems: list[Problem] = []
        given = self.given(problems)
        yield replace(first, problems=chain(first.problems, problems)) if problems else first
        for part, fragment in zip(self._parts[1:], others, strict=True):
            yield self._with(part, fragment, given[part.owner].of(self._own[part.owner]))

    def given(self, problems: list[Problem]) -> Mapping[int, Parameters]:
        """Return what is given to each object and those below it; note what can't be given."""
        given: dict[int, Parameters] = {0: NOTHING}
        by: dict[int, str] = {}
        for part in (self._parts[0], *reversed(self._parts[1:])):
            for i, (include, child) in enumerate(zip(part.pattern.spec.include, part.includes, strict=True)):
                if child is None:
                    continue
                path = part.path(f"spec.include[{i}]")
                own, names = _written(include, path), self._names[child]
                if child not in self._unknown:
                    problems += _undeclared(self._parts[child], own, names)
                found = own.within(given[part.owner]).of(names)
                known = given.setdefault(child, found)
                first = by.setdefault(child, path)
                if differing := known.differing(found):
                    problems.append(
                        Problem(
                            path,
                            f"{self._parts[child].named} is also included by {first}, which gives it another "
                            f"{listed(differing)}: give the same in both, or take one out",
                        )
                    )
        return given

    def _with(self, part: Part, fragment: PodFragment, given: Parameters) -> PodFragment:
        env = part.pattern.spec.env
        if not (env or given.env or given.resources):
            return fragment
        own = [Given(v.env, part.path(f"spec.env[{i}]")) for i, v in enumerate(env)]
        missing = [v.name for v in env if v.required and v.name not in given.env]
        return replace(
            fragment,
            shape={**fragment.shape, **given.shape()},
            helpers=tuple(_with_given(part, container, own, given) for container in fragment.helpers),
            problems=chain(fragment.problems, self._missing(part, missing)),
        )

    def _missing(self, part: Part, names: Sequence[str]) -> Iterator[Problem]:
        includes = self._parts[0].includes
        within = (i for i, child in enumerate(includes) if child and part.owner in self._below[child])
        at = next(within, 0)
        for name in names:
            yield Problem(
                f"spec.include[{at}].env", f"{part.named} demands the variable {name}: give it a value here"
            )


def _declared(part: Part, fragment: PodFragment) -> Names:
    """Return what a part declares itself, without the variables that the operator gives to helpers."""
    variables = {variable.name for variable in part.pattern.spec.env}
    for container in fragment.helpers:
        variables |= _by_people(part, container)
    return Names(frozenset(variables), frozenset(c.name for c in fragment.helpers))


def _by_people(part: Part, container: PodContainer) -> set[str]:
    """Return the variables of the container without those that the operator gives to a helper."""
    helper = helper_of(part.pattern.spec) if container.composed else None
    written = (helper.container or {}) if helper else container.manifest
    return {str(variable.get("name")) for variable in written.get("env") or ()}


def _written(include: Include, path: str) -> Parameters:
    return Parameters(
        {v.name: Given(v.env, f"{path}.env[{i}]") for i, v in enumerate(include.env)},
        {r.container: Given(r.resources, f"{path}.resources[{i}]") for i, r in enumerate(include.resources)},
    )


def _undeclared(part: Part, given: Parameters, names: Names) -> Iterator[Problem]:
    """Yield a problem for each variable that the part doesn't declare, and each container that it lacks."""
    for name, one in given.env.items():
        if name not in names.variables:
            yield Problem(
                f"{one.path}.name",
                f'{part.named} declares no variable "{shown(name, NAME_LENGTH)}": '
                f"{_there_is(name, names.variables)}",
            )
    for name, one in given.resources.items():
        if name not in names.containers:
            yield Problem(
                f"{one.path}.container",
                f'{part.named} has no container "{name}": {_there_is(name, names.containers)}',
            )


def _there_is(name: str, known: Collection[str]) -> str:
    if not known:
        return "it has none"
    names = sorted(known)
    close = difflib.get_close_matches(name[:NAME_LENGTH], names[:MOST_COMPARED], n=1)
    meant = f"; did you mean {shown(close[0], NAME_LENGTH)}?" if close else ""
    return f"there is {listed(names)}{meant}"


def _with_given(part: Part, container: PodContainer, own: Sequence[Given], given: Parameters) -> PodContainer:
    """Return the container with the part's own variables in front, and with what is given."""
    written = [
        Given(variable, container.field(f"env[{i}]"))
        for i, variable in enumerate(container.manifest.get("env") or ())
    ]
    of_the_operator = {_name(variable) for variable in written} - _by_people(part, container)
    env = [
        variable if _name(variable) in of_the_operator else given.env.get(_name(variable), variable)
        for variable in _in_order(own, written)
    ]
    manifest, origins = dict(container.manifest), dict(container.origins)
    if env:
        manifest["env"] = [dict(variable.manifest) for variable in env]
        origins |= {f"env[{i}]": variable.path for i, variable in enumerate(env)}
    resources = given.resources.get(container.name)
    if resources:
        manifest["resources"] = dict(resources.manifest)
        origins["resources"] = resources.path
    return replace(
        container,
        manifest=manifest,
        origins=origins,
        default_resources=container.default_resources and resources is None,
    )


def _in_order(own: Sequence[Given], written: Sequence[Given]) -> Iterator[Given]:
    """Yield a part's variables and a container's own, which count where both have one, each after those that
    stand before it in its list: Kubernetes puts in only what an earlier variable says."""
    at = {_name(variable): i for i, variable in enumerate(own)}
    taken = {_name(variable) for variable in written}
    done, waiting = 0, list[Given]()
    for variable in written:
        waiting.append(variable)
        if (place := at.get(_name(variable))) is not None:
            yield from (v for v in own[done:place] if _name(v) not in taken)
            yield from waiting
            done, waiting = max(done, place), []
    yield from (v for v in own[done:] if _name(v) not in taken)
    yield from waiting


def _name(variable: Given) -> str:
    return str(variable.manifest.get("name"))


def _only(given: Mapping[str, Given], names: Collection[str]) -> dict[str, Given]:
    return {name: one for name, one in given.items() if name in names}


def _differing(one: Mapping[str, Given], other: Mapping[str, Given]) -> list[str]:
    def manifest(given: Given | None) -> Mapping[str, Any] | None:
        return given.manifest if given else None

    return sorted(name for name in {**one, **other} if manifest(one.get(name)) != manifest(other.get(name)))
