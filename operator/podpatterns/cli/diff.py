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
from podpatterns.api.text import listed
from podpatterns.cli.cluster import Cluster, Object
from podpatterns.cli.error import CommandError
from podpatterns.cli.manifests import Manifest, read_manifests
from podpatterns.cli.options import cluster_options, files_option
from podpatterns.compose import CannotCompose, compose
from podpatterns.compose.part import Key, included, key_of
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
    sys.exit(compared(cluster, read_manifests(files)))


def compared(cluster: Cluster, manifests: Sequence[Manifest]) -> int:
    """Say what would happen; return the exit status."""
    written = dict(_tried(cluster, manifests))
    scopes = {scope.namespace: scope for scope in (cluster.within(m.namespace) for m in manifests)}
    return max(_diff(scope, written) for scope in scopes.values())


def _diff(cluster: Cluster, written: Mapping[Key, Pattern]) -> int:
    """Say what would happen in one namespace if all of `written` were applied; return the exit status."""
    objects = [obj for kind in KINDS for obj in cluster.all(kind.plural)]
    own = list(_readable(objects))
    before = {key_of(app): app for app in (*own, *_elsewhere(cluster, own, written.values()))}
    modified = dict(_modified(objects))
    after = {**before, **written}
    here = {key: app for key, app in after.items() if app.metadata.namespace == cluster.namespace}
    verdicts = [
        (app, verdict(app, before, after))
        for key, app in here.items()
        if app.spec.template is not None and (key in written or _includes(app, after, written))
    ]
    for app, found in verdicts:
        click.echo(f"{_shown(app)}: {found.text}")
        if drift := modified.get(key_of(app)):
            click.echo(f"{_shown(app)}: others have changed Pods: {drift}")
    users = dict(_users_elsewhere(objects))
    for key, part in sorted(written.items()):
        if key not in here or part.spec.template is not None:
            continue
        if unseen := [user for user in users.get(key, ()) if user not in after]:
            names = listed([f"{kind.lower()}/{name} in namespace {of}" for kind, of, name in unseen])
            click.echo(f"{_shown(part)}: objects that are not compared include it, too: {names}")
        elif not any(_includes(app, after, {key}) for app in after.values()):
            click.echo(f"{_shown(part)}: no object includes this part")
    return max((v.exit_code for _, v in verdicts), default=SAME)


def _shown(app: Pattern) -> str:
    return f"{app.kind.lower()}/{app.metadata.name}"


def verdict(app: Pattern, before: Mapping[Key, Pattern], after: Mapping[Key, Pattern]) -> Verdict:
    """Return the effect on the Pods of `app`, which is in `after`."""
    pods = f"{app.spec.replicas} Pod{'' if app.spec.replicas == 1 else 's'}"
    try:
        new = compose(app, after.values())
    except CannotCompose as error:
        return Verdict(FAILED, str(error))
    known = before.get(key_of(app))
    if known is None or known.spec.template is None:
        return Verdict(DIFFERENT, f"creates {pods}")
    try:
        old = compose(known, before.values())
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
    if strategy.type == "OnDelete":
        text = f"replaces {pods}, each when you delete it: {found}"
    elif not found.in_place:
        text = f"replaces {pods}: {found}"
    elif strategy.type != "InPlaceIfPossible":
        text = f"replaces {pods}: updateStrategy.type is {strategy.type}"
    elif not allowed.in_place:
        policy = f"updateStrategy.inPlace.containers is {strategy.in_place.containers}"
        text = f"replaces {pods}: {allowed} ({policy})"
    else:
        text = f"updates {pods} in place: {found}"
    return Verdict(DIFFERENT, f"{text}{waits}")


def _includes(app: Pattern, objects: Mapping[Key, Pattern], parts: Collection[Key]) -> bool:
    """Return whether the object or a part of it includes one of the parts."""
    found: set[Key] = set()
    following = [app]
    while following:
        new = set(included(following.pop())) - found
        found |= new
        following += [objects[key] for key in new if key in objects]
    return not found.isdisjoint(parts)


def _readable(objects: Iterable[Object]) -> Iterator[Pattern]:
    for obj in objects:
        with suppress(InvalidObject):  # it makes no Pods as it is
            yield parse(obj)


def _elsewhere(cluster: Cluster, own: Sequence[Pattern], written: Iterable[Pattern]) -> list[Pattern]:
    """Return the parts of other namespaces, as they are, that the objects and their parts include."""
    known, found, following = set(map(key_of, own)), list[Pattern](), [*own, *written]
    while following:
        for kind, namespace, name in set(included(following.pop())) - known:
            known.add((kind, namespace, name))
            part = None
            if namespace != cluster.namespace:
                part = cluster.beside(namespace).get(BY_KIND[kind].plural, name)
            models = list(_readable([part] if part else []))
            found += models
            following += models
    return found


def _users_elsewhere(objects: Iterable[Object]) -> Iterator[tuple[Key, list[Key]]]:
    """Yield the parts that objects of other namespaces include, each with these."""
    for obj in objects:
        meta, used_by = obj["metadata"], (obj.get("status") or {}).get("usedBy") or ()
        users = [(u["kind"], u["namespace"], u["name"]) for u in used_by if u.get("namespace")]
        yield (obj["kind"], meta["namespace"], meta["name"]), users


def _modified(objects: Iterable[Object]) -> Iterator[tuple[Key, str]]:
    """Yield the objects with Pods that others have changed, and what the operator says of these."""
    for obj in objects:
        for condition in (obj.get("status") or {}).get("conditions") or ():
            if condition["type"] == ConditionType.PODS_MODIFIED and condition["status"] == "True":
                meta = obj["metadata"]
                yield (obj["kind"], meta["namespace"], meta["name"]), condition["message"]


def _tried(cluster: Cluster, written: Sequence[Manifest]) -> Iterator[tuple[Key, Pattern]]:
    """Yield the objects of the files as the API server would keep them."""
    for one in written:
        scope = cluster.within(one.namespace)
        if unknown := one.unknown_kind:
            raise CommandError(f"{one.where}: {unknown}")
        plural = BY_KIND[one.kind].plural
        try:
            live = scope.get(plural, parse(one.obj).metadata.name)
            app = parse(scope.tried(plural, dict(one.obj), live))
            yield key_of(app), app
        except InvalidObject as error:
            raise CommandError(f"{one.where}: {error}") from None
