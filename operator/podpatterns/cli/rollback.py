"""`podpatterns rollback`: the object's spec as it was in an earlier revision."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

from podpatterns.api import InvalidObject, parse
from podpatterns.cli.cluster import Cluster, Object, named, plural_of
from podpatterns.cli.error import CommandError
from podpatterns.cli.history import revisions, with_pods
from podpatterns.cli.options import cluster_options
from podpatterns.compose import recorded_spec
from podpatterns.replicas.history import Revision


@click.command()
@click.argument("name", metavar="[KIND/]NAME")
@click.option(
    "--to-revision",
    type=int,
    metavar="N",
    help="The revision. Default: the one before, which is the newest if no"
    " Pod could be made of what the object says now.",
)
@cluster_options
def rollback(name: str, to_revision: int | None, cluster: Cluster) -> None:
    """Write back what an earlier revision said about Pods.

    Replicas, strategy and the list of parts stay as they are, as do the parts themselves: those are rolled
    back by whoever owns them. Pods that match already are left alone, others are brought back as by any
    update.
    """
    obj = with_pods(cluster, name)
    current = _recorded(obj)
    target = chosen(revisions(cluster, obj), to_revision, current)
    operations = back(current, with_present_claims(target.spec, current))
    shown = named(obj)
    if not operations:
        click.echo(f"{shown} says already what it said in revision {target.number}")
        return
    # The spec is still the one that was compared; the operator may write the status meanwhile.
    unchanged = {"op": "test", "path": "/metadata/generation", "value": obj["metadata"]["generation"]}
    cluster.patch(plural_of(obj), obj["metadata"]["name"], [unchanged, *operations])
    click.echo(f"{shown} rolled back to revision {target.number}")


def _recorded(obj: Object) -> dict[str, Any]:
    """Return what the object says now, as its revisions record it."""
    try:
        recorded: dict[str, Any] = json.loads(json.dumps(recorded_spec(parse(obj))))
    except InvalidObject as error:
        raise CommandError(f"{obj['metadata']['name']}: {error}") from None
    return recorded


def chosen(found: Sequence[Revision], number: int | None, current: Mapping[str, Any]) -> Revision:
    """Return the revision to roll back to; `found` are all, the oldest first.

    The newest one, if that is not what the object says: no Pod was ever made of what it says now.
    """
    if number is None:
        if found and back(current, found[-1].spec):
            return found[-1]
        if len(found) < 2:
            raise CommandError("there is no earlier revision to go back to")
        return found[-2]
    target = next((r for r in found if r.number == number), None)
    if target is None:
        known = ", ".join(str(r.number) for r in found) or "none"
        raise click.BadParameter(f"there is no revision {number}, only {known}", param_hint="--to-revision")
    return target


def with_present_claims(earlier: Mapping[str, Any], current: Mapping[str, Any]) -> dict[str, Any]:
    """Return the earlier spec with the claim templates as they are now, where there is one of the name.

    Only the names belong to a revision. A template of before would ask for the size of before.
    """
    present = {template["metadata"]["name"]: template for template in current.get("volumeClaimTemplates", ())}
    templates = [present.get(t["metadata"]["name"], t) for t in earlier.get("volumeClaimTemplates", ())]
    return {**earlier, **({"volumeClaimTemplates": templates} if templates else {})}


def back(current: Mapping[str, Any], earlier: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the JSON patch that turns the spec `current` into `earlier`, both without defaults."""
    gone = [{"op": "remove", "path": f"/spec/{name}"} for name in current if name not in earlier]
    new = [
        {"op": "add", "path": f"/spec/{name}", "value": value}
        for name, value in earlier.items()
        if current.get(name) != value
    ]
    return [*gone, *new]
