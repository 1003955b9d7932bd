"""The status of an object, computed from the observed Pods and the failures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from podpatterns.api import Pattern
from podpatterns.api.conditions import ConditionType, Reason
from podpatterns.api.text import MESSAGE_LENGTH, listed
from podpatterns.compose import Composition, Problem
from podpatterns.compose.labels import selector
from podpatterns.replicas.condition import Condition, conditions, told
from podpatterns.replicas.configuration import (
    Answers,
    ConfigurationTargets,
    bounded,
    configuration_current,
    configurations,
)
from podpatterns.replicas.contract import Answer, ContractTargets, contract_satisfied
from podpatterns.replicas.failure import Failure, internal_error, names_taken
from podpatterns.replicas.pod import Pod, seconds, timestamp
from podpatterns.replicas.progress import Course, last_progress
from podpatterns.replicas.replacement import Replacement
from podpatterns.replicas.unhealthy import NAMES_SHOWN, unhealthy
from podpatterns.replicas.wanted import Wanted

REPLACEMENTS_KEPT = 10
PROBLEMS_SHOWN = 20
USERS_KEPT = 100
READY, PROGRESSING = ConditionType.READY, ConditionType.PROGRESSING
LIST_LENGTH = MESSAGE_LENGTH // 3
"""Bytes of one list in a message of several."""


@dataclass(frozen=True, slots=True)
class Observed:
    """The state that a status reports."""

    pods: Sequence[Pod]
    problems: Sequence[Problem]
    """The faults for which no Pod can be made; empty without any."""
    failure: Failure | None
    now: float
    """Unix seconds."""
    replacements: Sequence[Replacement] = ()
    """Completed replacements that are not in the previous status yet."""
    composition: Composition | None = None
    """None when there is none."""
    contract_targets: ContractTargets | None = None
    """The Pod whose adapters are polled; None when no Pod runs."""
    answers: Mapping[str, Answer] = field(default_factory=dict)
    """The adapters' answers, by container."""
    configuration_targets: ConfigurationTargets | None = None
    """The helpers that are polled for their configuration; None when there is no helper."""
    running: Answers | None = None
    """The helpers' answers; None before the first poll."""
    taken: Mapping[str, Failure] = field(default_factory=dict)
    """Failures by the name of a Pod that belongs to somebody else: its slot stays empty."""
    error: Failure | None = None
    """The failure of the whole reconcile: an error of the operator's own, or a refused write of an object
    that Pods need. The Pods are reported all the same."""

    @property
    def unwritten(self) -> Failure | None:
        """The most severe failure to write Pods."""
        return self.failure or names_taken(self.taken)


def unreadable_status(
    generation: int, problems: Sequence[Problem], previous: Mapping[str, Any], now: float
) -> dict[str, Any]:
    """Return the status of an object that does not fit its schema: the counts stay as last seen."""
    ready = Condition(READY, False, Reason.INVALID_SPEC, problems_told(problems))
    return _unjudged(ready, generation, previous, now)


def failed_status(
    generation: int, error: BaseException, previous: Mapping[str, Any], now: float
) -> dict[str, Any]:
    """Return the status of an object whose status can't be computed: the counts stay as last seen."""
    failure = internal_error(error)
    return _unjudged(Condition(READY, False, failure.reason, failure.message), generation, previous, now)


def _unjudged(ready: Condition, generation: int, previous: Mapping[str, Any], now: float) -> dict[str, Any]:
    bounds = {"usedBy": lambda users: users[:USERS_KEPT], "configurations": bounded}
    return {
        **previous,
        **{key: bound(previous[key]) for key, bound in bounds.items() if previous.get(key)},
        "observedGeneration": generation,
        "conditions": conditions([ready], generation, previous, now),
    }


def problems_told(problems: Sequence[Problem]) -> str:
    """Return the first problems, as many as fit into a condition, and the number of the others."""
    return listed(problems, PROBLEMS_SHOWN, MESSAGE_LENGTH, "; ")


def part_status(
    part: Pattern, used_by: Sequence[Mapping[str, str]], previous: Mapping[str, Any], now: float
) -> dict[str, Any]:
    """Return the status of an object without a template: the objects that include it."""
    users = len(used_by)
    message = (
        f"included by {users} object{'' if users == 1 else 's'}"
        if users
        else "not included by any object yet"
    )
    if users > USERS_KEPT:
        message += f", of which status.usedBy names {USERS_KEPT}"
    ready = Condition(READY, True, Reason.REUSABLE_PART, message)
    status: dict[str, Any] = {
        "observedGeneration": part.metadata.generation,
        "conditions": conditions([ready], part.metadata.generation, previous, now),
    }
    if used_by:
        status["usedBy"] = [dict(user) for user in used_by[:USERS_KEPT]]
    return status


def app_status(
    app: Pattern, wanted: Wanted | None, observed: Observed, previous: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the status of an object that makes Pods.

    `wanted` is None when the object can't be composed; then the revisions stay as they were.
    """
    live = [p for p in observed.pods if p.live]
    course = Course(
        updated=sum(1 for p in live if wanted and p.has_arrived_at(wanted.revision)),
        available=sum(1 for p in live if p.available(observed.now, app.spec.min_ready_seconds)),
        live=len(live),
    )
    status: dict[str, Any] = {
        "observedGeneration": app.metadata.generation,
        "replicas": len(live),
        "readyReplicas": sum(1 for p in live if p.ready_since is not None and not p.restarting),
        "availableReplicas": course.available,
        "updatedReplicas": course.updated,
        "terminatingReplicas": sum(1 for p in observed.pods if p.terminating),
        "selector": ",".join(f"{k}={v}" for k, v in selector(app.kind, app.metadata.name).items()),
    }
    if wanted:
        update = revision_name(app, wanted.revision)
        status["updateRevision"] = update
        status["currentRevision"] = (
            update if course.complete(app) else previous.get("currentRevision", update)
        )
        status["lastProgressTime"] = last_progress(app, status, previous, observed.now)
    else:
        kept = ("updateRevision", "currentRevision", "lastProgressTime")
        status |= {key: previous[key] for key in kept if key in previous}
    status |= _configurations(observed, previous)
    status |= _replacements(observed, previous)
    found = [
        _ready(app, observed, course),
        _progressing(app, observed, course, status),
        _replica_failure(observed),
        *_upstreams_healthy(observed.composition.proxies if observed.composition else (), live),
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
        ),
    ]
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


def _ready(app: Pattern, observed: Observed, course: Course) -> Condition:
    if observed.problems:
        return Condition(READY, False, observed.problems[0].reason, problems_told(observed.problems))
    count = f"{course.available} of {app.spec.replicas} Pods are available"
    error = observed.error
    if error and (error.reason is Reason.INTERNAL_ERROR or not course.complete(app)):
        return Condition(READY, False, error.reason, f"{count}; {error.message}")
    if course.available >= app.spec.replicas:
        return Condition(READY, True, Reason.PODS_AVAILABLE, count)
    if failure := observed.unwritten:
        return Condition(READY, False, failure.reason, f"{count}; {failure.message}")
    notes = [count]
    if names := unhealthy(observed.pods, observed.composition):
        notes.append(f"unhealthy: {names}")
    secrets = observed.composition.secrets if observed.composition else ()
    if secrets and (mounting := sorted(p.name for p in observed.pods if p.live and p.mounting)):
        needed = listed(secrets, len(secrets), LIST_LENGTH, "; ")
        notes.append(f"{_some(mounting)} waits for its volumes, which need {needed}")
    if terminating := sorted(f"{p.name}{_held_by(p)}" for p in observed.pods if p.terminating):
        notes.append(f"waiting for {_some(terminating)} to terminate")
    return Condition(READY, False, Reason.PODS_NOT_AVAILABLE, "; ".join(notes))


def _held_by(pod: Pod) -> str:
    """Return what keeps a terminating Pod: a finalizer, or its node, which may be lost."""
    if pod.finalizers:
        return f" (finalizer {', '.join(pod.finalizers)})"
    return f" (on node {pod.node})" if pod.node else ""


def _progressing(app: Pattern, observed: Observed, course: Course, status: Mapping[str, Any]) -> Condition:
    if observed.problems:
        reason = observed.problems[0].reason
        return Condition(PROGRESSING, False, reason, "waiting for the object to be corrected")
    count = f"{course.updated} of {app.spec.replicas} Pods have the newest revision"
    if course.complete(app):
        return Condition(PROGRESSING, True, Reason.REVISION_COMPLETE, count)
    if error := observed.error:
        return Condition(PROGRESSING, False, error.reason, f"{count}; {error.message}")
    if held := course.held(app):
        reason, why = held
        return Condition(PROGRESSING, reason is not Reason.PAUSED, reason, f"{count}; {why}")
    idle = observed.now - seconds(status["lastProgressTime"])
    stuck = idle >= app.spec.progress_deadline_seconds
    notes = [count, f"no progress for {app.spec.progress_deadline_seconds} s"] if stuck else [count]
    if names := unhealthy(observed.pods, observed.composition):
        notes.append(f"unhealthy: {names}")
    reason = Reason.PROGRESS_DEADLINE_EXCEEDED if stuck else Reason.ROLLING_OUT
    return Condition(PROGRESSING, not stuck, reason, "; ".join(notes))


def _replica_failure(observed: Observed) -> Condition:
    """An error of the operator's own is left out: it may have kept no Pod from being written."""
    error = observed.error if observed.error and observed.error.reason is not Reason.INTERNAL_ERROR else None
    if failure := observed.unwritten or error:
        return Condition(ConditionType.REPLICA_FAILURE, True, failure.reason, failure.message)
    return Condition(ConditionType.REPLICA_FAILURE, False, Reason.NO_FAILURE, "no write was refused")


def _upstreams_healthy(proxies: Sequence[str], live: Sequence[Pod]) -> Iterator[Condition]:
    """Judge by the readiness that the kubelet reports of the proxies, which costs no request."""
    if not proxies:
        return
    found = [f"{p.name} ({_some(names)})" for p in live if (names := [n for n in p.unready if n in proxies])]
    if found:
        message = f"an upstream has no healthy endpoint in {_some(found)}: /readyz of the proxy names it"
        yield Condition(ConditionType.UPSTREAMS_HEALTHY, False, Reason.ENDPOINTS_UNHEALTHY, message)
    elif any(p.phase == "Running" for p in live):
        message = "every upstream has a healthy endpoint"
        yield Condition(ConditionType.UPSTREAMS_HEALTHY, True, Reason.ENDPOINTS_HEALTHY, message)
    else:
        yield Condition(ConditionType.UPSTREAMS_HEALTHY, False, Reason.NOT_RUNNING, "no Pod runs yet")


def _some(names: Sequence[str]) -> str:
    return listed(names, NAMES_SHOWN, LIST_LENGTH)
