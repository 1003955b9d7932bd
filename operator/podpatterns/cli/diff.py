"""`podpatterns diff`: the effect on Pods that applying files would have."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import click

from podpatterns.api import KINDS, InvalidObject, Pattern, parse
from podpatterns.api.conditions import ConditionType
from podpatterns.api.names import BY_KIND
from podpatterns.cli.cluster import Cluster, Object
from podpatterns.cli.error import CommandError
from podpatterns.cli.manifests import Manifest, read_manifests
from podpatterns.cli.options import cluster_options, files_option
from podpatterns.compose import CannotCompose, compose
from podpatterns.compose.part import Key
from podpatterns.replicas.change import change
from podpatterns.replicas.inplace import permitted

SAME, DIFFERENT, FAILED = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Verdict:
    exit_code: int
    text: str


@click.command()
@files_option
@cluster_options
def diff(files: tuple[str, ...], cluster: Cluster) -> None:
    """Say which Pods would be updated in place and which replaced, and why, if the files were applied.

    Objects that include a part of the files are named too, and Pods that others than the operator have
    changed. The server checks the files, and nothing is changed. Exit status: 0 no Pod would change, 1 some
    would, 2 an object can't work as it is written, or the files or the cluster can't be read.
    """
    manifests = read_manifests(files)
    outcome = SAME
    for own in dict.fromkeys(m.namespace for m in manifests):
        outcome = max(outcome, _diff(cluster.within(own), [m for m in manifests if m.namespace == own]))
    sys.exit(outcome)


def _diff(cluster: Cluster, manifests: Sequence[Manifest]) -> int:
    """Say what would happen in one namespace; return the exit status."""
    objects = [obj for kind in KINDS for obj in cluster.all(kind.plural)]
    before, modified = dict(_readable(objects)), dict(_modified(objects))
    written = dict(_tried(cluster, manifests))
    after = before | written
    verdicts = [
        (key, verdict(app, before, after))
        for key, app in after.items()
        if app.spec.template is not None and (key in written or _includes(app, written))
    ]
    for (kind, name), found in verdicts:
        click.echo(f"{kind.lower()}/{name}: {found.text}")
        if drift := modified.get((kind, name)):
            click.echo(f"{kind.lower()}/{name}: others have changed Pods: {drift}")
    for key, part in sorted(written.items()):
        if part.spec.template is None and not any(_includes(app, {key}) for app in after.values()):
            click.echo(f"{key[0].lower()}/{key[1]}: no object includes this part")
    return max((v.exit_code for _, v in verdicts), default=SAME)


def verdict(app: Pattern, before: Mapping[Key, Pattern], after: Mapping[Key, Pattern]) -> Verdict:
    """Return the effect on the Pods of `app`, which is in `after`."""
    pods = f"{app.spec.replicas} Pod{'' if app.spec.replicas == 1 else 's'}"
    try:
        new = compose(app, after)
    except CannotCompose as error:
        return Verdict(FAILED, str(error))
    known = before.get((app.kind, app.metadata.name))
    if known is None or known.spec.template is None:
        return Verdict(DIFFERENT, f"creates {pods}")
    try:
        old = compose(known, before)
    except CannotCompose:
        return Verdict(DIFFERENT, f"{pods}: works again, and is brought up to date as its history allows")
    strategy = app.spec.update_strategy
    waits = " (waits: paused)" if strategy.paused else ""
    found = change(old.template, new.template, new.default_resources)
    if old.revision == new.revision or found.empty:
        if old.files == new.files:
            return Verdict(SAME, "no Pod changes")
        text = "no Pod changes: the new configuration is taken up as the containers run"
        return Verdict(SAME, f"{text}{waits}")
    allowed = permitted(found, strategy.in_place, new.application)
    if not found.in_place:
        text = f"replaces {pods}: {found}"
    elif strategy.type != "InPlaceIfPossible":
        text = f"replaces {pods}: updateStrategy.type is {strategy.type}"
    elif not allowed.in_place:
        policy = f"updateStrategy.inPlace.containers is {strategy.in_place.containers}"
        text = f"replaces {pods}: {allowed} ({policy})"
    else:
        text = f"updates {pods} in place: {found}"
    return Verdict(DIFFERENT, f"{text}{waits}")


def _includes(app: Pattern, parts: Collection[Key]) -> bool:
    return any((include.kind, include.name) in parts for include in app.spec.include)


def _readable(objects: Iterable[Object]) -> Iterator[tuple[Key, Pattern]]:
    for obj in objects:
        with suppress(InvalidObject):  # it makes no Pods as it is
            yield (obj["kind"], obj["metadata"]["name"]), parse(obj)


def _modified(objects: Iterable[Object]) -> Iterator[tuple[Key, str]]:
    """Yield the objects with Pods that others have changed, and what the operator says of these."""
    for obj in objects:
        for condition in (obj.get("status") or {}).get("conditions") or ():
            if condition["type"] == ConditionType.PODS_MODIFIED and condition["status"] == "True":
                yield (obj["kind"], obj["metadata"]["name"]), condition["message"]


def _tried(cluster: Cluster, written: Sequence[Manifest]) -> Iterator[tuple[Key, Pattern]]:
    """Return the objects of the files as the API server would keep them."""
    for one in written:
        if unknown := one.unknown_kind:
            raise CommandError(f"{one.where}: {unknown}")
        plural = BY_KIND[one.kind].plural
        try:
            name = parse(one.obj).metadata.name
            live = cluster.get(plural, name)
            yield (one.kind, name), parse(cluster.tried(plural, dict(one.obj), live))
        except InvalidObject as error:
            raise CommandError(f"{one.where}: {error}") from None
