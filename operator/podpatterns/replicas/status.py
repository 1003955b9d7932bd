"""The status of an object, computed from the observed Pods and the failures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from podpatterns.api import Pattern
from podpatterns.api.conditions import ConditionType, Reason
from podpatterns.compose import Composition, Problem
from podpatterns.compose.labels import selector
from podpatterns.replicas.arrival import composed_parts
from podpatterns.replicas.claims import claims_current
from podpatterns.replicas.condition import Condition, conditions, told
from podpatterns.replicas.configuration import (
    bounded,
    configuration_current,
    configurations,
)
from podpatterns.replicas.contract import contract_satisfied
from podpatterns.replicas.drift import pods_modified
from podpatterns.replicas.failure import internal_error
from podpatterns.replicas.observed import Observed, problems_told
from podpatterns.replicas.pod import Pod, timestamp
from podpatterns.replicas.progress import Rollout, last_progress, progressing, stalled
from podpatterns.replicas.readiness import available, completion, ready, some
from podpatterns.replicas.wanted import Wanted

REPLACEMENTS_KEPT = 10
USERS_KEPT = 100
READY, PROGRESSING = ConditionType.READY, ConditionType.PROGRESSING


def unreadable_status(
    generation: int, problems: Sequence[Problem], previous: Mapping[str, Any], now: float
) -> dict[str, Any]:
    """Return the status of an object that does not fit its schema: the counts stay as last seen."""
    invalid = Condition(READY, False, Reason.INVALID_SPEC, problems_told(problems))
    return _unjudged(invalid, generation, previous, now)


def failed_status(
    generation: int, error: BaseException, previous: Mapping[str, Any], now: float
) -> dict[str, Any]:
    """Return the status of an object whose status can't be computed: the counts stay as last seen."""
    failure = internal_error(error)
    return _unjudged(Condition(READY, False, failure.reason, failure.message), generation, previous, now)


def _unjudged(
    judgement: Condition, generation: int, previous: Mapping[str, Any], now: float
) -> dict[str, Any]:
    bounds = {"usedBy": lambda users: users[:USERS_KEPT], "configurations": bounded}
    return {
        **previous,
        **{key: bound(previous[key]) for key, bound in bounds.items() if previous.get(key)},
        "observedGeneration": generation,
        "conditions": conditions([judgement], generation, previous, now),
    }


@dataclass(frozen=True, slots=True)
class Usage:
    """The use of a part."""

    used_by: Sequence[Mapping[str, str]]
    """Objects that include it, as status.usedBy names them."""
    users: int
    """Number of objects whose Pods have it."""
    updated: int
    """Number of these in which it has arrived as it is now."""


def part_status(
    part: Pattern, usage: Usage, problems: Sequence[Problem], previous: Mapping[str, Any], now: float
) -> dict[str, Any]:
    """Return the status of an object without a template: its own problems, and the objects that include
    it."""
    including = len(usage.used_by)
    message = (
        f"included by {including} object{'' if including == 1 else 's'}"
        if including
        else "not included by any object yet"
    )
    if including > USERS_KEPT:
        message += f", of which status.usedBy names {USERS_KEPT}"
    ready = Condition(READY, True, Reason.REUSABLE_PART, message)
    if problems:
        ready = Condition(READY, False, problems[0].reason, problems_told(problems))
    status: dict[str, Any] = {
        "observedGeneration": part.metadata.generation,
        "conditions": conditions([ready], part.metadata.generation, previous, now),
    }
    if usage.used_by:
        status["usedBy"] = [dict(user) for user in usage.used_by[:USERS_KEPT]]
    if usage.users:
        status |= {"users": usage.users, "updatedUsers": usage.updated}
    return status


def app_status(
    app: Pattern, wanted: Wanted | None, observed: Observed, previous: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the status of an object that makes Pods.

    `wanted` is None when the object can't be composed; then the revisions stay as they were.
    """
    live = [p for p in observed.pods if p.live]
    update = revision_name(app, wanted.revision) if wanted else ""
    rollout = Rollout.of(app, wanted, observed, previous, update)
    ready_pods = sum(1 for p in live if p.ready_since is not None and not p.restarting)
    status: dict[str, Any] = {
        "observedGeneration": app.metadata.generation,
        "replicas": rollout.live,
        "readyReplicas": ready_pods,
        "readyPods": f"{ready_pods}/{app.spec.replicas}",
        "availableReplicas": rollout.available,
        "updatedReplicas": rollout.updated,
        "terminatingReplicas": sum(1 for p in observed.pods if p.terminating),
        "selector": ",".join(f"{k}={v}" for k, v in selector(app.kind, app.metadata.name).items()),
    }
    if wanted:
        status["updateRevision"] = update
        status["currentRevision"] = (
            update if rollout.complete(app) else previous.get("currentRevision", update)
        )
        if rollout.work:
            status |= {"succeeded": rollout.succeeded, **rollout.work.record()}
        under_way = not (rollout.failed or rollout.ended(app) or observed.error or rollout.held(app))
        status["lastProgressTime"] = last_progress(status, previous, observed.now, under_way=under_way)
    else:
        kept = ("updateRevision", "currentRevision", "lastProgressTime", "succeeded", "failed", "work")
        status |= {key: previous[key] for key in kept if key in previous}
    if observed.composition is None:
        status |= {key: previous[key] for key in ("parts",) if key in previous}
    elif parts := composed_parts(observed.composition.parts, app.metadata.namespace):
        status["parts"] = parts
    status |= _configurations(observed, previous)
    status |= _replacements(observed, previous)
    progress = progressing(app, observed, rollout, status)
    found = [
        ready(app, observed, rollout),
        progress,
        available(app, rollout),
        *completion(app, observed, rollout),
        *stalled(progress),
        _replica_failure(observed),
        *pods_modified(observed.drift),
        *_upstreams_healthy(observed.composition, live),
        *contract_satisfied(
            observed.composition,
            observed.problems,
            observed.contract_targets,
            observed.answers,
            told(previous, ConditionType.CONTRACT_SATISFIED),
        ),
        *configuration_current(
            observed.configuration_targets,
            observed.running,
            told(previous, ConditionType.CONFIGURATION_CURRENT) if _same_hashes(status, previous) else None,
            held=wanted is not None and wanted.configuration_held,
        ),
    ]
    found += claims_current(app, observed.claims, told(previous, ConditionType.VOLUME_CLAIMS_CURRENT))
    status["conditions"] = conditions(found, app.metadata.generation, previous, observed.now)
    return status


def revision_name(app: Pattern, revision: str) -> str:
    """Return the name of a revision in status."""
    return f"{app.metadata.name}-{revision}"


def at_rest(status: Mapping[str, Any]) -> bool:
    """Tell whether the rollout is complete and the object Ready: nothing more happens by itself."""
    found = {c["type"]: c for c in status["conditions"]}
    complete = found[PROGRESSING]["reason"] == Reason.REVISION_COMPLETE
    return bool(complete and status["terminatingReplicas"] == 0 and found[READY]["status"] == "True")


def _configurations(observed: Observed, previous: Mapping[str, Any]) -> dict[str, Any]:
    told = previous.get("configurations") or []
    if observed.composition:
        told = configurations(
            observed.composition.files, observed.configuration_targets, observed.running, told
        )
    return {"configurations": bounded(told)} if told else {}


def _same_hashes(status: Mapping[str, Any], previous: Mapping[str, Any]) -> bool:
    """Tell whether the helpers' configuration is that of the previous status."""
    now, before = (
        [(entry["container"], entry["hash"]) for entry in of.get("configurations") or ()]
        for of in (status, previous)
    )
    return now == before


def _replacements(observed: Observed, previous: Mapping[str, Any]) -> dict[str, Any]:
    """Return the count, and the last replacements, newest first."""
    new = [
        {
            "name": r.name,
            "oldUID": r.old_uid,
            "newUID": r.new_uid,
            "reason": str(r.reason),
            "time": timestamp(r.time),
            "duration": f"{r.took:.1f}s",
        }
        for r in observed.replacements
    ]
    recent = [*reversed(new), *(previous.get("recentReplacements") or ())][:REPLACEMENTS_KEPT]
    record: dict[str, Any] = {"replacements": previous.get("replacements", 0) + len(new)}
    return {**record, "recentReplacements": recent} if recent else record


def _replica_failure(observed: Observed) -> Condition:
    """An error of the operator's own is left out: it may have kept no Pod from being written."""
    error = observed.error if observed.error and observed.error.reason is not Reason.INTERNAL_ERROR else None
    if failure := observed.unwritten or error:
        return Condition(ConditionType.REPLICA_FAILURE, True, failure.reason, failure.message)
    return Condition(ConditionType.REPLICA_FAILURE, False, Reason.NO_FAILURE, "no write was refused")


def _upstreams_healthy(composition: Composition | None, live: Sequence[Pod]) -> Iterator[Condition]:
    """Judge by the readiness that the kubelet reports of the proxies, which costs no request."""
    if composition is None or not composition.proxies:
        return
    kind, proxies = ConditionType.UPSTREAMS_HEALTHY, composition.proxies
    found = [f"{p.name} ({some(names)})" for p in live if (names := [n for n in p.unready if n in proxies])]
    if found:
        message = f"an upstream has no healthy endpoint in {some(found)}: /readyz of the proxy names it"
        yield Condition(kind, False, Reason.ENDPOINTS_UNHEALTHY, message)
    elif not any(p.phase == "Running" for p in live):
        yield Condition(kind, False, Reason.NOT_RUNNING, "no Pod runs yet")
    elif composition.unchecked:
        message = f"nobody checks the endpoints of {some(composition.unchecked)}: give each a healthCheck"
        yield Condition(kind, None, Reason.NOT_CHECKED, message)
    else:
        message = "every required upstream has a healthy endpoint"
        yield Condition(kind, True, Reason.ENDPOINTS_HEALTHY, message)
