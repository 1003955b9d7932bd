"""Readiness and availability of an object, for the conditions Ready and Available."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from podpatterns.api import Pattern
from podpatterns.api.conditions import ConditionType, Reason
from podpatterns.api.text import MESSAGE_LENGTH, listed
from podpatterns.replicas.condition import Condition
from podpatterns.replicas.observed import Observed, problems_told
from podpatterns.replicas.pod import Pod
from podpatterns.replicas.progress import Rollout, failure_of
from podpatterns.replicas.unhealthy import NAMES_SHOWN, unhealthy
from podpatterns.replicas.wanted import Wanted

READY = ConditionType.READY
LIST_LENGTH = MESSAGE_LENGTH // 3
"""Bytes of one list in a message of several."""


def ready(app: Pattern, observed: Observed, rollout: Rollout) -> Condition:
    """Return the condition Ready: all Pods are of the newest revision, as far as the update strategy lets
    them be, and available or done, and there are no others.

    A pause is as with Deployment: an object is not ready before its rollout has been resumed and is complete.
    """
    if observed.problems:
        return Condition(READY, False, observed.problems[0].reason, problems_told(observed.problems))
    if rollout.failed:
        return Condition(READY, False, Reason.BACKOFF_LIMIT_EXCEEDED, failure_of(observed, rollout))
    enough, count = rollout.enough(app), _available_of(app, rollout)
    held = rollout.held(app)
    notes = [count, held[1]] if held else [count]
    error = observed.error
    if error and (error.reason is Reason.INTERNAL_ERROR or not rollout.complete(app)):
        reason, notes = error.reason, [count, error.message]
    elif enough and rollout.arrived(app) and rollout.exact(app):
        reason = Reason.COMPLETIONS_REACHED if rollout.worked(app) else Reason.PODS_AVAILABLE
        return Condition(READY, True, reason, "; ".join(notes))
    elif failure := observed.unwritten:
        reason, notes = failure.reason, [count, failure.message]
    elif not enough:
        reason, notes = Reason.PODS_NOT_AVAILABLE, [count, *_waiting(observed)]
    elif rollout.arrived(app):
        reason = Reason.SURPLUS_PODS
    else:
        reason = Reason.PAUSED if held else Reason.ROLLING_OUT
        notes.append(rollout.updated_of(app))
    return Condition(READY, False, reason, "; ".join(notes))


def available(app: Pattern, rollout: Rollout) -> Condition:
    """Return the condition Available: Deployment's, but at least one Pod must be available."""
    replicas = app.spec.replicas
    minimum = min(replicas, max(1, replicas - Wanted.of(app, "").max_unavailable))
    enough = rollout.available + rollout.done >= minimum
    reason = Reason.MINIMUM_REPLICAS_AVAILABLE if enough else Reason.MINIMUM_REPLICAS_UNAVAILABLE
    message = f"{_available_of(app, rollout)}; the minimum is {minimum}"
    return Condition(ConditionType.AVAILABLE, enough, reason, message)


def completion(app: Pattern, observed: Observed, rollout: Rollout) -> Iterator[Condition]:
    """Yield the condition Complete or Failed where it is True, as a Job has them."""
    if rollout.failed:
        message = failure_of(observed, rollout)
        yield Condition(ConditionType.FAILED, True, Reason.BACKOFF_LIMIT_EXCEEDED, message)
    elif rollout.worked(app):
        message = _available_of(app, rollout)
        yield Condition(ConditionType.COMPLETE, True, Reason.COMPLETIONS_REACHED, message)


def _available_of(app: Pattern, rollout: Rollout) -> str:
    if rollout.worked(app):
        return f"{app.spec.replicas} of {app.spec.replicas} Pods have succeeded"
    if rollout.done:
        running = f"{rollout.available} of {app.spec.replicas} Pods are available"
        return f"{running}, {rollout.done} have succeeded"
    if rollout.available > app.spec.replicas:
        return f"{rollout.available} Pods are available, {app.spec.replicas} wanted"
    return f"{rollout.available} of {app.spec.replicas} Pods are available"


def _waiting(observed: Observed) -> Iterator[str]:
    """Yield what Pods that are not available wait for."""
    if names := unhealthy(observed.pods, observed.composition):
        yield f"unhealthy: {names}"
    secrets = observed.composition.secrets if observed.composition else ()
    if secrets and (mounting := sorted(p.name for p in observed.pods if p.live and p.mounting)):
        needed = listed(secrets, len(secrets), LIST_LENGTH, "; ")
        yield f"{some(mounting)} waits for its volumes, which need {needed}"
    if terminating := sorted(f"{p.name}{_held_by(p)}" for p in observed.pods if p.terminating):
        yield f"waiting for {some(terminating)} to terminate"


def _held_by(pod: Pod) -> str:
    """Return what keeps a terminating Pod: a finalizer, or its node, which may be lost."""
    if pod.finalizers:
        return f" (finalizer {', '.join(pod.finalizers)})"
    return f" (on node {pod.node})" if pod.node else ""


def some(names: Sequence[str]) -> str:
    return listed(names, NAMES_SHOWN, LIST_LENGTH)
