"""`podpatterns restart`: every Pod of an object anew, with no other change."""

from __future__ import annotations

import time
from typing import Any

import click

from podpatterns.api import InvalidObject, Pattern, parse
from podpatterns.api.text import listed
from podpatterns.cli.cluster import Cluster, Object, plural_of
from podpatterns.cli.error import CommandError
from podpatterns.cli.options import cluster_options
from podpatterns.replicas import Wanted
from podpatterns.replicas.pod import timestamp
from podpatterns.replicas.restart import RESTARTED_AT


@click.command()
@click.argument("name", metavar="[KIND/]NAME")
@cluster_options
def restart(name: str, cluster: Cluster) -> None:
    """Replace all Pods of an object, under its update strategy.

    As `kubectl rollout restart` does, it writes the time into an annotation of the Pod template.
    """
    obj = cluster.existing(name)
    shown = f"{obj['kind'].lower()}/{obj['metadata']['name']}"
    changes = restarted(obj, timestamp(time.time()))
    try:
        app = parse(obj)
    except InvalidObject as error:
        raise CommandError(f"{shown}: {error}") from None
    cluster.merge(plural_of(obj), obj["metadata"]["name"], changes)
    click.echo(f"{shown} restarted: {consequence(app)}")


def restarted(obj: Object, now: str) -> dict[str, Any]:
    """Return the JSON merge patch that restarts the Pods of `obj` at the time `now`."""
    template = (obj.get("spec") or {}).get("template")
    if template is None:
        raise CommandError(
            f"{obj['kind'].lower()}/{obj['metadata']['name']} is a part (it has no spec.template) and has no "
            f"Pods: restart the objects that include it{_users(obj)}"
        )
    annotations = (template.get("metadata") or {}).get("annotations") or {}
    if annotations.get(RESTARTED_AT) == now:
        raise CommandError("it was restarted in this second already: wait for the next one")
    # Of another object under the same name nobody has asked for a restart.
    uid = {"uid": obj["metadata"]["uid"]}
    return {"metadata": uid, "spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: now}}}}}


def consequence(app: Pattern) -> str:
    """Return what happens to the Pods of `app`, for people."""
    wanted, strategy = Wanted.of(app, ""), app.spec.update_strategy
    if not wanted.replicas:
        return "it has no Pods, spec.replicas is 0"
    if strategy.paused:
        return "its Pods stay until spec.updateStrategy.paused is false"
    if strategy.type == "OnDelete":
        return "each Pod starts anew when you delete it, as spec.updateStrategy.type is OnDelete"
    count = max(0, wanted.replicas - wanted.partition)
    if not count:
        return f"its Pods stay until spec.updateStrategy.partition is below {wanted.replicas}"
    at_once = min(count, wanted.max_unavailable + wanted.max_surge)
    rate = f", {at_once} at a time" if at_once < count else ""
    pods = "its Pod is" if count == 1 else f"its {count} Pods are"
    if wanted.partition:
        pods = f"{count} of its {wanted.replicas} Pods, as spec.updateStrategy.partition says, are"
    return f"{pods} replaced{rate}"


def _users(obj: Object) -> str:
    used_by = (obj.get("status") or {}).get("usedBy") or ()
    users = [
        f"{user['kind'].lower()}/{user['name']}"
        + (f" in namespace {user['namespace']}" if user.get("namespace") else "")
        for user in used_by
    ]
    return f", {listed(users)}" if users else ""
