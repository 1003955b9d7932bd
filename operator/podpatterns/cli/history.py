"""`podpatterns history`: the revisions of an object, and the change that each made."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise

import click

from podpatterns.cli.cluster import Cluster, Object, named
from podpatterns.cli.error import CommandError
from podpatterns.cli.options import cluster_options, output_option
from podpatterns.cli.output import table, written
from podpatterns.compose.labels import selector
from podpatterns.replicas.change import change
from podpatterns.replicas.history import NotGenuine, Revision, copies, read


@click.command()
@click.argument("name", metavar="[KIND/]NAME")
@cluster_options
@output_option("json", "yaml")
def history(name: str, cluster: Cluster, output: str | None) -> None:
    """List the revisions of an object, the newest last."""
    obj = with_pods(cluster, name)
    found = revisions(cluster, obj)
    current = (obj.get("status") or {}).get("updateRevision", "")
    rows = [
        {
            "revision": revision.number,
            "hash": revision.hash,
            "created": revision.created,
            "change": what,
            "current": current == f"{obj['metadata']['name']}-{revision.hash}",
        }
        for revision, what in zip(found, changes(found), strict=True)
    ]
    if output:
        click.echo(written(rows, output), nl=False)
        return
    told = [
        (
            str(row["revision"]),
            row["hash"],
            row["created"],
            f"{row['change']}{' (current)' if row['current'] else ''}",
        )
        for row in rows
    ]
    click.echo(table(("REVISION", "HASH", "CREATED", "CHANGE"), told), nl=False)


def with_pods(cluster: Cluster, name: str) -> Object:
    """Return the object of that name, which has to be one that makes Pods."""
    obj = cluster.existing(name)
    if not (obj.get("spec") or {}).get("template"):
        raise CommandError(
            f"{named(obj)} is a part and makes no Pods: its changes are in the history of objects "
            "that include it"
        )
    return obj


def revisions(cluster: Cluster, obj: Object) -> list[Revision]:
    """Return the revisions of an object, the oldest first, without ControllerRevisions of others."""
    meta = obj["metadata"]
    found = []
    for revision in cluster.revisions(selector(obj["kind"], meta["name"])):
        owners = revision["metadata"].get("ownerReferences") or ()
        if any(owner.get("controller") and owner["uid"] == meta["uid"] for owner in owners):
            with suppress(NotGenuine):
                found.append(read(revision, meta["name"]))
    strangers = copies(found, meta["uid"])
    return sorted((r for r in found if r not in strangers), key=lambda r: r.number)


def changes(found: Sequence[Revision]) -> list[str]:
    """Yield the change of each revision from the one before it in the list."""
    return ["-"][: len(found)] + [
        str(change(old.template, new.template)) or "nothing of the Pod" for old, new in pairwise(found)
    ]
