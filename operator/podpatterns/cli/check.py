"""`podpatterns check`: what is wrong with objects, as far as the files alone tell."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

import click
import yaml

from podpatterns.api import KINDS, Adapter, FieldError, InvalidObject, Pattern, parse
from podpatterns.api.conditions import Reason
from podpatterns.api.invalid import first_errors
from podpatterns.cli.crdrules import broken_rules
from podpatterns.cli.options import files_option
from podpatterns.compose import CannotCompose, Problem, adapter_problems, compose
from podpatterns.compose.part import Key

INVALID = 1
NAMES = [kind.kind for kind in KINDS]


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault of an object."""

    where: str
    """The file and the object."""
    error: FieldError | Problem

    def __str__(self) -> str:
        return f"{self.where}: {self.error}"


@dataclass(frozen=True, slots=True)
class Written:
    """An object in a file."""

    file: str
    obj: Mapping[str, Any]

    @property
    def key(self) -> Key:
        meta = self.obj.get("metadata")
        return str(self.obj["kind"]), str(meta.get("name", "")) if isinstance(meta, Mapping) else ""

    @property
    def where(self) -> str:
        kind, name = self.key
        return f"{self.file}: {kind.lower()}/{name}"


@dataclass(frozen=True, slots=True)
class Verdict:
    findings: tuple[Finding, ...]
    unknown: tuple[Finding, ...]
    """Faults that other files, or the cluster, may clear."""


@click.command()
@files_option
def check(files: tuple[IO[str], ...]) -> None:
    """Say what is wrong with objects, without a cluster.

    Checks the fields, the rules of the CRDs, and whether Pods can be composed of the objects in the files:
    their names and ports, the form of an Adapter's rules and whether they satisfy its contract. Not checked
    are the Pod templates' own fields, parts that are not in the files, rules about a change (such as taking
    the template out), and the regular expressions, JMESPath and conditions of an Adapter with the groups that
    they name: metrics-adapter --check reads those. Exit status: 0 nothing is wrong, 1 something is.
    """
    written = [Written(file.name, obj) for file in files for obj in _objects(file)]
    verdict = judge(written)
    for note in verdict.unknown:
        click.echo(f"{note} (not checked)", err=True)
    for finding in verdict.findings:
        click.echo(str(finding))
    if verdict.findings:
        sys.exit(INVALID)
    click.echo(f"{len(written)} object{'' if len(written) == 1 else 's'} checked: nothing is wrong")


def judge(written: Sequence[Written]) -> Verdict:
    """Return all faults of the objects, composing those that have the form of their kind."""
    findings: list[Finding] = []
    apps: dict[Key, tuple[Written, Pattern]] = {}
    for one in written:
        try:
            app: Pattern = parse(one.obj)
        except InvalidObject as error:
            findings += [Finding(one.where, e) for e in error.errors]
            continue
        broken = broken_rules(app)
        if broken:
            findings += [Finding(one.where, e) for e in broken]
            findings += [Finding(one.where, p) for p in _own(app)]
        if one.key in apps:
            other = apps[one.key][0].file
            findings.append(Finding(one.where, FieldError("metadata.name", f"is taken in {other} already")))
        elif not broken:
            apps[one.key] = one, app
    unknown: list[Finding] = []
    available = {key: app for key, (_, app) in apps.items()}
    for one, app in apps.values():
        problems = _problems(app, available)
        absent = [p for p in problems if p.reason is Reason.PART_NOT_FOUND]
        unknown += [Finding(one.where, p) for p in absent]
        findings += [Finding(one.where, p) for p in problems if p not in absent]
    return Verdict(tuple(findings), tuple(unknown))


def _problems(app: Pattern, available: Mapping[Key, Pattern]) -> Sequence[Problem]:
    """Yield the problems for which an object's Pods can't be composed. Those of a part itself are left to
    the part."""
    if app.spec.template is None:
        return _own(app)
    try:
        compose(app, available)
    except CannotCompose as error:
        told = {f"{p.kind} {p.metadata.name}: {problem}" for p in available.values() for problem in _own(p)}
        return [p for p in error.problems if str(p) not in told]
    return []


def _own(app: Pattern) -> tuple[Problem, ...]:
    return first_errors(adapter_problems(app.spec)) if isinstance(app, Adapter) else ()


def _objects(file: IO[str]) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of our kinds in a file, which may hold others too."""
    try:
        documents = list(yaml.safe_load_all(file))
    except yaml.YAMLError as error:
        raise click.ClickException(f"{file.name}: {error}") from None
    for document in documents:
        items = document.get("items") if isinstance(document, dict) and "items" in document else [document]
        yield from (i for i in items or () if isinstance(i, dict) and i.get("kind") in NAMES)
