"""`podpatterns history`: the revisions of an object, and the change that each made."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise

import click

from podpatterns.cli.cluster import Cluster, Object
from podpatterns.cli.error import CommandError
from podpatterns.cli.options import context_option, namespace_option
from podpatterns.compose.labels import selector
from podpatterns.replicas.change import change
from podpatterns.replicas.history import NotGenuine, Revision, copies, read


@click.command()
@click.argument("name", metavar="[KIND/]NAME")
@namespace_option
@context_option
def history(name: str, namespace: str | None, context: str | None) -> None:
    """List the revisions of an object, the newest last."""
    cluster = Cluster(namespace, context)
    obj = with_pods(cluster, name)
    found = revisions(cluster, obj)
    current = (obj.get("status") or {}).get("updateRevision", "")
    click.echo(f"{'REVISION':<10}{'HASH':<12}{'CREATED':<22}CHANGE")
    for revision, what in zip(found, changes(found), strict=True):
        suffix = " (current)" if current == f"{obj['metadata']['name']}-{revision.hash}" else ""
        click.echo(f"{revision.number:<10}{revision.hash:<12}{revision.created:<22}{what}{suffix}")


def with_pods(cluster: Cluster, name: str) -> Object:
    """Return the object of that name, which has to be one that makes Pods."""
    obj = cluster.existing(name)
    if not (obj.get("spec") or {}).get("template"):
        shown = f"{obj['kind'].lower()}/{obj['metadata']['name']}"
        raise CommandError(
            f"{shown} is a part and makes no Pods: its changes are in the history of objects that include it"
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
