"""Drain: a Pod leaves its Services before its application restarts in place, and comes back afterwards.

It does so by the readiness gate that its spec has. The gate's condition on the Pod says since when, so that
an operator that starts in between goes on where another ended.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence

from podpatterns.compose.labels import IN_SERVICE
from podpatterns.replicas.actions import SetInService
from podpatterns.replicas.pod import Pod, timestamp
from podpatterns.replicas.wanted import Wanted


def drains(wanted: Wanted, pod: Pod) -> bool:
    """Return whether the Pod has to be out of its Services before it is updated in place."""
    return bool(wanted.drain_seconds) and pod.revision in wanted.restart_application


def until_drained(wanted: Wanted, pod: Pod, now: float) -> float:
    """Return the seconds until the Pod may be updated in place; all of them while it is in its Services."""
    if not drains(wanted, pod):
        return 0
    if pod.in_service:
        return wanted.drain_seconds
    if pod.out_of_service_since is None:
        return 0  # it never was in them
    left = pod.out_of_service_since + wanted.drain_seconds - now
    return min(max(0.0, left), wanted.drain_seconds)


def until_settled(wanted: Wanted, pod: Pod, now: float) -> float:
    """Return the seconds until a Pod counts as updated, infinite where only its node can tell."""
    if pod.restarting or (pod.settling and not pod.resize_pending):
        return math.inf
    return max(0.0, pod.resize_left(now, wanted.resize_timeout)) if pod.resize_pending else 0


def service_changes(
    wanted: Wanted, kept: Sequence[Pod], updated: Collection[str], now: float
) -> Iterator[SetInService]:
    """Yield the Pods that leave their Services to be updated, and those that come back or are new.

    `updated` has the UIDs of the Pods of `kept` to bring up to date now. A Pod whose update was called off
    comes back, and one that was updated as soon as its new containers are there; their probes do the rest.
    One whose node doesn't change its resources is not waited for longer than `resize_timeout`.
    """
    for pod in kept:
        if pod.uid in updated:
            if pod.in_service and until_drained(wanted, pod, now):
                yield SetInService(pod.name, pod.uid, in_service=False)
        elif pod.in_service is False and not until_settled(wanted, pod, now):
            yield SetInService(pod.name, pod.uid, in_service=True)


def in_service(change: SetInService, now: float) -> dict[str, str]:
    """Return the condition of the readiness gate."""
    return {
        "type": IN_SERVICE,
        "status": str(change.in_service),
        "reason": "InService" if change.in_service else "UpdateInPlace",
        "message": "" if change.in_service else "its application is about to restart in place",
        # Never sooner than it is: a metav1.Time has whole seconds.
        "lastTransitionTime": timestamp(math.ceil(now)),
    }
