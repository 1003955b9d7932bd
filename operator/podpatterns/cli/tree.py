"""`podpatterns tree`: objects, their parts, their Pods and the containers of these."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import click

from podpatterns.api.conditions import ConditionType, Reason
from podpatterns.api.names import KINDS
from podpatterns.cli.cluster import Cluster, Object, owner_uid
from podpatterns.cli.options import all_namespaces_option, cluster_options, output_option
from podpatterns.cli.output import table, written
from podpatterns.cli.podview import pod_view

INTERVAL = 1.0
"""Seconds between two looks with --watch."""
HEADER = ("NAME", "READY", "STATUS", "RESTARTS", "IMAGE")
CLEAR = "\x1b[H\x1b[2J"

Node = Mapping[str, Any]
"""A line of the tree, and those below it, as -o shows them."""


@click.command()
@click.argument("name", metavar="[[KIND/]NAME]", required=False)
@click.option("-w", "--watch", "go_on", is_flag=True, help="Show the tree again whenever it changes.")
@cluster_options
@all_namespaces_option
@output_option("json", "yaml")
def tree(
    name: str | None,
    go_on: bool,
    cluster: Cluster,
    all_namespaces: bool,
    output: str | None,
) -> None:
    """Show objects with their parts, Pods and containers: one object, or all of the namespace."""
    if name and all_namespaces:
        raise click.UsageError("a name is one of a namespace: give NAME or --all-namespaces")
    scope = cluster.everywhere() if all_namespaces else cluster

    def now() -> str:
        found = _found(scope, name)
        if output:
            return written(found, output)
        return drawn(found, with_namespaces=all_namespaces)

    if not go_on:
        click.echo(now(), nl=False)
        return
    with suppress(KeyboardInterrupt):
        watch(now, INTERVAL)


def watch(now: Callable[[], str], interval: float) -> None:
    """Show what there is, and again whenever it is another."""
    clear = CLEAR if sys.stdout.isatty() else ""
    last = None
    while True:
        if (text := now()) != last:
            click.echo(f"{clear}{text}")
            last = text
        time.sleep(interval)


def _found(cluster: Cluster, name: str | None) -> list[Node]:
    objects = [obj for kind in KINDS for obj in cluster.all(kind.plural)]
    if name is None:
        return nodes(objects, objects, cluster.pods())
    obj = cluster.existing(name)
    return nodes([obj], objects, cluster.pods_of(obj))


def nodes(roots: Sequence[Object], objects: Sequence[Object], pods: Sequence[Object]) -> list[Node]:
    """Return the trees of `roots`, which include parts of `objects`, by namespace, kind and name."""
    by_name = {(o["metadata"]["namespace"], o["kind"], o["metadata"]["name"]): o for o in objects}
    return [
        _root(obj, by_name, [p for p in pods if owner_uid(p) == obj["metadata"]["uid"]])
        for obj in sorted(roots, key=lambda o: (o["metadata"]["namespace"], o["kind"], o["metadata"]["name"]))
    ]


def _root(obj: Object, by_name: Mapping[Any, Object], pods: Sequence[Object]) -> Node:
    meta, status = obj["metadata"], obj.get("status") or {}
    node = {
        "kind": obj["kind"],
        "name": meta["name"],
        "namespace": meta["namespace"],
        "ready": status.get("readyPods", ""),
        "status": _reason(obj),
    }
    parts = list(_parts(obj, by_name))
    if not obj["spec"].get("template"):
        return {**node, **({"parts": parts} if parts else {}), "usedBy": list(status.get("usedBy") or ())}
    return {
        **node,
        "parts": parts,
        "pods": [_pod(pod) for pod in sorted(pods, key=lambda p: str(p["metadata"]["name"]))],
    }


def _parts(obj: Object, by_name: Mapping[Any, Object]) -> Iterator[Node]:
    """Yield the parts that the object includes itself; of one in a namespace that is not shown only the
    name."""
    own = obj["metadata"]["namespace"]
    for include in obj["spec"].get("include") or ():
        kind, name, namespace = include["kind"], include["name"], include.get("namespace") or own
        part = by_name.get((namespace, kind, name))
        absent = Reason.PART_NOT_FOUND.value if namespace == own else ""
        elsewhere = {} if namespace == own else {"namespace": namespace}
        yield {"kind": kind, "name": name, **elsewhere, "status": _reason(part) if part else absent}


def _reason(obj: Object) -> str:
    """Return the reason of Ready."""
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return next((str(c["reason"]) for c in conditions if c["type"] == ConditionType.READY), "NotObserved")


def _pod(pod: Object) -> Node:
    view = pod_view(pod)
    return {
        "name": view.name,
        "uid": view.uid,
        "ready": view.ready,
        "status": view.status,
        "restarts": view.restarts,
        "containers": [
            {
                "name": c.name,
                "role": c.role,
                "ready": c.ready,
                "status": c.status,
                "restarts": c.restarts,
                "image": c.image,
            }
            for c in view.containers
        ],
    }


def drawn(roots: Sequence[Node], *, with_namespaces: bool) -> str:
    """Return the trees as text."""
    if not roots:
        return "no objects\n"
    rows: list[tuple[str, ...]] = []
    namespace = None
    for root in roots:
        if with_namespaces and root["namespace"] != namespace:
            namespace = root["namespace"]
            rows.append((f"namespace {namespace}", "", "", "", ""))
        rows += _lines(root)
    return table(HEADER, rows)


def _lines(root: Node) -> Iterator[tuple[str, ...]]:
    yield f"{root['kind'].lower()}/{root['name']}", root["ready"], root["status"], "", ""
    below: list[tuple[tuple[str, ...], Sequence[Node]]] = [
        *(((f"used by {_named(user)}", "", "", "", ""), ()) for user in root.get("usedBy") or ()),
        *(((f"part {_named(part)}", "", part["status"], "", ""), ()) for part in root.get("parts") or ()),
        *(
            ((f"pod/{pod['name']}", pod["ready"], pod["status"], str(pod["restarts"]), ""), pod["containers"])
            for pod in root.get("pods") or ()
        ),
    ]
    for at, (columns, containers) in enumerate(below, start=1):
        last = at == len(below)
        yield f"{'└─' if last else '├─'} {columns[0]}", *columns[1:]
        for container in containers:
            trunk, branch = " " if last else "│", "└─" if container is containers[-1] else "├─"
            role = "" if container["role"] == "container" else f" ({container['role']})"
            ready = "" if container["role"] == "init container" else ("yes" if container["ready"] else "no")
            yield (
                f"{trunk}  {branch} {container['name']}{role}",
                ready,
                container["status"],
                str(container["restarts"]),
                container["image"],
            )


def _named(node: Node) -> str:
    elsewhere = f" (namespace {node['namespace']})" if node.get("namespace") else ""
    return f"{node['kind'].lower()}/{node['name']}{elsewhere}"
