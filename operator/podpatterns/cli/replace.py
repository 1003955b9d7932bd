"""`podpatterns replace`: one Pod deleted, and another in its place."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from podpatterns.api.names import API_VERSION, BY_KIND
from podpatterns.cli.cluster import Cluster, Object
from podpatterns.cli.error import CommandError
from podpatterns.cli.options import cluster_options, output_option, timeout_option
from podpatterns.cli.output import written
from podpatterns.cli.podview import pod_view
from podpatterns.cli.waiting import Progress, wait

TIMEOUT = 600


@dataclass(frozen=True, slots=True)
class Successor:
    name: str
    uid: str
    ready: bool
    status: str


@click.command()
@click.argument("pod")
@timeout_option(TIMEOUT)
@cluster_options
@output_option("json", "yaml", "name")
def replace(pod: str, timeout: int, cluster: Cluster, output: str | None) -> None:
    """Delete a Pod, and wait until the one that takes its place is ready.

    Only the Pod that is there now is deleted, never one that has its name by then. Exit status: 0 the
    replacement is ready, 1 it is not within --timeout, 2 the Pod can't be replaced.
    """
    old = cluster.pod(pod.removeprefix("pod/"))
    if old is None:
        raise CommandError(f'there is no Pod "{pod}" in namespace {cluster.namespace}')
    name, uid = old["metadata"]["name"], old["metadata"]["uid"]
    obj = owner(cluster, old)
    before = {p["metadata"]["uid"] for p in cluster.pods_of(obj)}
    began = time.monotonic()
    cluster.delete_pod(name, uid)
    click.echo(f"pod/{name} (UID {uid}) deleted", err=True)

    def ask(progress: Progress) -> Successor | None:
        now = owner(cluster, old)
        pods = cluster.pods_of(obj)
        found = successor(now, pods, old, before)
        if found is None:
            there = any(p["metadata"]["uid"] == uid for p in pods)
            progress(f"pod/{name} {'is terminating' if there else 'is gone'}")
        elif not found.ready:
            progress(f"pod/{found.name} (UID {found.uid}) is there: {found.status}")
        else:
            return found
        return None

    new = wait(ask, timeout)
    took = round(time.monotonic() - began, 1)
    if output == "name":
        click.echo(f"pod/{new.name}")
    elif output:
        told = {"oldName": name, "oldUID": uid, "newName": new.name, "newUID": new.uid, "seconds": took}
        click.echo(written(told, output), nl=False)
    else:
        click.echo(f"pod/{name} (UID {uid}) replaced by pod/{new.name} (UID {new.uid}) in {took} s")


def owner(cluster: Cluster, pod: Mapping[str, Any]) -> Object:
    """Return the object of ours that controls a Pod."""
    name = pod["metadata"]["name"]
    owners = pod["metadata"].get("ownerReferences") or ()
    controller: Mapping[str, Any] = next((o for o in owners if o.get("controller")), {})
    if controller.get("apiVersion") != API_VERSION or controller["kind"] not in BY_KIND:
        told = f"{controller['kind'].lower()}/{controller['name']}" if controller else "nobody"
        raise CommandError(f"pod/{name} belongs to {told}: only a Pod of podpatterns is replaced")
    obj = cluster.get(BY_KIND[controller["kind"]].plural, controller["name"])
    if obj is None or obj["metadata"]["uid"] != controller["uid"]:
        raise CommandError(f"{controller['kind'].lower()}/{controller['name']}, which owns it, is gone")
    return obj


def successor(
    obj: Mapping[str, Any], pods: Sequence[Mapping[str, Any]], old: Mapping[str, Any], before: set[str]
) -> Successor | None:
    """Return the Pod that takes the place of `old`, among those that the object has now.

    Whom the operator has recorded, or a new Pod under the old name; of Pods with generated names the first
    that was not there before.
    """
    uid = old["metadata"]["uid"]
    recorded = (obj.get("status") or {}).get("recentReplacements") or ()
    for record in recorded:
        if record["oldUID"] == uid:
            return Successor(record["name"], record["newUID"], ready=True, status="ready")
    new = sorted(
        (p for p in pods if p["metadata"]["uid"] not in before),
        key=lambda p: (str(p["metadata"]["creationTimestamp"]), str(p["metadata"]["name"])),
    )
    if obj["spec"].get("podNaming", "Stable") == "Stable":
        new = [p for p in new if p["metadata"]["name"] == old["metadata"]["name"]]
    if not new:
        return None
    view = pod_view(new[0])
    return Successor(view.name, view.uid, ready=view.is_ready, status=view.status)
