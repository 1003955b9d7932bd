"""`podpatterns check`: what is wrong with objects, as far as the files alone tell."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click

from podpatterns.api import Adapter, FieldError, InvalidObject, Pattern, parse
from podpatterns.api.conditions import Reason
from podpatterns.api.invalid import first_errors
from podpatterns.api.kubernetes import DEFAULT_NAMESPACE
from podpatterns.api.text import NAME_LENGTH, shown
from podpatterns.cli.crdrules import broken_rules
from podpatterns.cli.manifests import Manifest, read_manifests
from podpatterns.cli.options import files_option
from podpatterns.cli.policyrules import advised
from podpatterns.cli.schema import malformed, without_nulls
from podpatterns.compose import (
    CannotCompose,
    Problem,
    adapter_problems,
    compose,
    include_problems,
    part_problems,
)
from podpatterns.compose.part import Key, included, key_of

INVALID = 1
NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
"""https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names"""


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault of an object."""

    where: str
    """The file and the object."""
    error: FieldError | Problem

    def __str__(self) -> str:
        return f"{self.where}: {self.error}"


@dataclass(frozen=True, slots=True)
class Verdict:
    findings: tuple[Finding, ...]
    unknown: tuple[Finding, ...]
    """Faults that other files, or the cluster, may clear."""
    advice: tuple[Finding, ...] = ()
    """Warnings about objects without a fault: what is possible and unwise."""


@click.command()
@files_option
def check(files: tuple[str, ...]) -> None:
    """Say what is wrong with objects, without a cluster.

    Checks the fields by the schema and the rules of the CRDs, and whether Pods can be composed of the objects
    in the files: their names and ports, the form of an Adapter's rules and whether they satisfy its contract.
    Not checked are what only the API server knows of Pods, parts that are not in the files, rules about a
    change (such as taking the template out), and the regular expressions, JMESPath and conditions of an
    Adapter with the groups that they name: metrics-adapter --check reads those. Warnings of what is unwise
    are those that kubectl apply shows. Exit status: 0 nothing is wrong, 1 something is, 2 the files can't be
    read, or have no object of ours.
    """
    written = read_manifests(files)
    verdict = judge(written)
    for note in verdict.unknown:
        click.echo(f"{note} (not checked)", err=True)
    for warning in verdict.advice:
        click.echo(f"Warning: {warning}", err=True)
    for finding in verdict.findings:
        click.echo(str(finding))
    if verdict.findings:
        sys.exit(INVALID)
    click.echo(f"{len(written)} object{'' if len(written) == 1 else 's'} checked: nothing is wrong")


def judge(written: Sequence[Manifest]) -> Verdict:
    """Return all faults of the objects, composing those that have the form of their kind."""
    findings: list[Finding] = []
    apps: dict[Key, tuple[Manifest, Pattern]] = {}
    for one in written:
        if unknown := one.unknown_kind:
            findings.append(Finding(one.where, FieldError("kind", unknown)))
            continue
        if errors := malformed(one.obj):
            findings += [Finding(one.where, error) for error in errors]
            continue
        try:
            app: Pattern = parse(without_nulls(one.obj))
        except InvalidObject as error:
            findings += [Finding(one.where, e) for e in error.errors]
            continue
        broken = [*_bad_name(one), *broken_rules(app)]
        if broken:
            findings += [Finding(one.where, e) for e in broken]
            findings += [Finding(one.where, p) for p in _own(app)]
        if (other := apps.get(key_of(app))) is not None:
            taken = FieldError("metadata.name", f"is taken in {other[0].source} already")
            findings.append(Finding(one.where, taken))
        elif not broken:
            apps[key_of(app)] = one, app
    findings += _same_pod_names(list(apps.values()))
    unknown_parts: list[Finding] = []
    available = [app for _, app in apps.values()]
    faulty_parts = {(m.kind, m.namespace or DEFAULT_NAMESPACE, m.name) for m in written} - apps.keys()
    everything_is_there = all(key in apps for app in available for key in included(app))
    found = [(one, app, _problems(app, available)) for one, app in apps.values()]
    told = {text for _, app, problems in found if app.spec.template is None for text in _told(app, problems)}
    for one, app, problems in found:
        for problem in problems:
            # Of a part that is in the files and faulty its own faults are told, and not that it is missing.
            if str(problem) in told or _included(app, problem) in faulty_parts:
                continue
            absent = problem.reason is Reason.PART_NOT_FOUND or (
                problem.reason is Reason.PART_NOT_SHARED and not everything_is_there
            )
            (unknown_parts if absent else findings).append(Finding(one.where, problem))
    faulty = {finding.where for finding in findings}
    good = [(one, app) for one, app in apps.values() if one.where not in faulty]
    advice = [Finding(one.where, warning) for one, app in good for warning in advised(app)]
    return Verdict(tuple(findings), tuple(unknown_parts), tuple(advice))


def _told(part: Pattern, problems: Sequence[Problem]) -> Iterator[str]:
    """Yield the problems of a part as those say it that include the part, in its namespace or another."""
    for problem in problems:
        for name in _names(part):
            yield f"{part.kind} {name}: {problem}"


def _names(part: Pattern) -> tuple[str, str]:
    """Return the names by which applications' problems tell of a part, by their namespace."""
    meta = part.metadata
    return meta.name, f"{meta.namespace}/{meta.name}"


def _included(app: Pattern, problem: Problem) -> Key | None:
    """Return the part for whose absence the problem is; None for another problem."""
    about = re.fullmatch(r"spec\.include\[(\d+)\]", problem.path)
    if about is None or problem.reason not in (Reason.PART_NOT_FOUND, Reason.PART_NOT_SHARED):
        return None
    return list(included(app))[int(about[1])]


def _bad_name(one: Manifest) -> Iterator[FieldError]:
    if not NAME.fullmatch(one.name):
        told = (
            f"{shown(one.name, NAME_LENGTH)!r} must be of lowercase letters, digits, - and ., such as site-1"
        )
        yield FieldError("metadata.name", told)


def _same_pod_names(apps: Sequence[tuple[Manifest, Pattern]]) -> Iterator[Finding]:
    """Yield the objects of different kinds whose Pods would have the same names."""
    first: dict[tuple[str, str], str] = {}
    for one, app in apps:
        if app.spec.template is None or app.spec.pod_naming != "Stable":
            continue
        other = first.setdefault((app.metadata.namespace, one.name), one.kind)
        if other != one.kind:
            message = f"{other} {one.name} makes Pods of the same names, {one.name}-0 and so on: rename one"
            yield Finding(one.where, FieldError("metadata.name", message))


def _problems(app: Pattern, available: Sequence[Pattern]) -> Sequence[Problem]:
    """Return the problems for which an object's Pods can't be composed."""
    try:
        if app.spec.template is None:
            return [*include_problems(app, available), *part_problems(app)]
        compose(app, available)
    except CannotCompose as error:
        return error.problems
    return []


def _own(app: Pattern) -> tuple[Problem, ...]:
    return first_errors(adapter_problems(app.spec)) if isinstance(app, Adapter) else ()
