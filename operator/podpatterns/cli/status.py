"""`podpatterns status`: how far an object is, and what keeps it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import click

from podpatterns.api.conditions import INVALID, ConditionType, Reason
from podpatterns.cli.age import age
from podpatterns.cli.cluster import Cluster, Object, named
from podpatterns.cli.options import cluster_options, output_option, timeout_option
from podpatterns.cli.output import table, written
from podpatterns.cli.podview import PodView, pod_view
from podpatterns.cli.waiting import Progress, wait

ENDED = (Reason.REVISION_COMPLETE, Reason.ON_DELETE, Reason.PARTITION_REACHED)
"""Reasons of Progressing with which nothing more happens by itself, and all is as it is written."""
STOPPED = (Reason.PROGRESS_DEADLINE_EXCEEDED, Reason.BACKOFF_LIMIT_EXCEEDED, Reason.PAUSED)
"""Those with which nothing more happens before somebody does something."""
COUNTS = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "terminatingReplicas")
NOT_COMPLETE = 1


class Outcome(Enum):
    COMPLETE = "complete"
    FAILED = "failed"
    UNDER_WAY = "under way"


@dataclass(frozen=True, slots=True)
class Verdict:
    outcome: Outcome
    text: str


@click.command()
@click.argument("name", metavar="[KIND/]NAME")
@click.option("-w", "--watch", is_flag=True, help="Wait until the rollout is complete, or has failed.")
@timeout_option(0)
@cluster_options
@output_option("json", "yaml")
def status(
    name: str,
    watch: bool,
    timeout: int,
    cluster: Cluster,
    output: str | None,
) -> None:
    """Show the conditions of an object, its counts, and the Pods that are not ready.

    With --watch, wait as kubectl rollout status does. Exit status: 0 the object runs as it is written, 1 it
    does not, or not within --timeout, 2 the cluster can't be read.
    """
    obj = cluster.existing(name)
    if watch:
        found = f"{obj['kind']}/{obj['metadata']['name']}"
        obj = wait(lambda progress: _ended(cluster.existing(found), progress), timeout)
    verdict = judged(obj)
    if output:
        click.echo(written(data(obj, _pods(cluster, obj)), output), nl=False)
    elif watch:
        click.echo(f"{named(obj)}: {verdict.outcome.value}: {verdict.text}")
    else:
        click.echo(text(obj, _pods(cluster, obj)), nl=False)
    sys.exit(0 if verdict.outcome is Outcome.COMPLETE else NOT_COMPLETE)


def _pods(cluster: Cluster, obj: Object) -> list[PodView]:
    return [pod_view(pod) for pod in cluster.pods_of(obj)] if obj["spec"].get("template") else []


def _ended(obj: Object, progress: Progress) -> Object | None:
    verdict = judged(obj)
    if verdict.outcome is not Outcome.UNDER_WAY:
        return obj
    progress(f"{named(obj)}: {verdict.text}")
    return None


def judged(obj: Mapping[str, Any]) -> Verdict:
    """Return whether the object runs as it is written, by its status."""
    status, generation = obj.get("status") or {}, obj["metadata"].get("generation", 0)
    if status.get("observedGeneration", -1) < generation:
        return Verdict(Outcome.UNDER_WAY, f"the operator has not observed generation {generation} yet")
    conditions = {c["type"]: c for c in status.get("conditions") or ()}
    ready = conditions.get(ConditionType.READY) or {}
    progressing = conditions.get(ConditionType.PROGRESSING) or {}
    is_part = not obj["spec"].get("template")
    if ready.get("status") == "True" and (is_part or progressing.get("reason") in ENDED):
        return Verdict(Outcome.COMPLETE, str(ready.get("message", "")))
    if ready.get("reason") in INVALID:
        return Verdict(Outcome.FAILED, _words(ready))
    if progressing.get("reason") in STOPPED:
        return Verdict(Outcome.FAILED, _words(progressing))
    return Verdict(Outcome.UNDER_WAY, _words(ready))


def _words(condition: Mapping[str, Any]) -> str:
    return f"{condition.get('reason', 'Unknown')}: {condition.get('message', '')}"


def data(obj: Mapping[str, Any], pods: Sequence[PodView]) -> dict[str, Any]:
    """Return the status for programs."""
    status, meta, verdict = obj.get("status") or {}, obj["metadata"], judged(obj)
    counts = {name: status[name] for name in COUNTS if name in status}
    revision = {"updateRevision": status["updateRevision"]} if "updateRevision" in status else {}
    return {
        "kind": obj["kind"],
        "name": meta["name"],
        "namespace": meta["namespace"],
        "rollout": verdict.outcome.value,
        "message": verdict.text,
        **counts,
        **revision,
        "conditions": list(status.get("conditions") or ()),
        "podsNotReady": [
            {"name": p.name, "uid": p.uid, "ready": p.ready, "status": p.status, "message": p.message}
            for p in pods
            if not p.is_ready
        ],
    }


def text(obj: Mapping[str, Any], pods: Sequence[PodView]) -> str:
    """Return the status for people."""
    status, meta, verdict = obj.get("status") or {}, obj["metadata"], judged(obj)
    paragraphs = [f"{named(obj)} in namespace {meta['namespace']}: {verdict.outcome.value}: {verdict.text}\n"]
    if obj["spec"].get("template"):
        header = ("WANTED", "PODS", "UPDATED", "READY", "AVAILABLE", "TERMINATING", "REVISION")
        wanted = str(obj["spec"].get("replicas", 1))
        counts = [str(status.get(name, "-")) for name in COUNTS]
        paragraphs.append(table(header, [(wanted, *counts, status.get("updateRevision", "-"))]))
    conditions = [
        (c["type"], c["status"], age(c.get("lastTransitionTime")), c["reason"], c["message"])
        for c in status.get("conditions") or ()
    ]
    if conditions:
        paragraphs.append(table(("CONDITION", "STATUS", "SINCE", "REASON", "MESSAGE"), conditions))
    unready = [(p.name, p.ready, p.status, p.message) for p in pods if not p.is_ready]
    if unready:
        paragraphs.append(table(("POD NOT READY", "READY", "STATUS", "MESSAGE"), unready))
    return "\n".join(paragraphs)
