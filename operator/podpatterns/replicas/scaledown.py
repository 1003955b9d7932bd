"""Scaling down: which Pods go, and in which order."""

from __future__ import annotations

from collections.abc import Sequence

from podpatterns.replicas.actions import MOST_AT_ONCE
from podpatterns.replicas.ordinal import is_condemned, ordinal
from podpatterns.replicas.pod import Pod
from podpatterns.replicas.wanted import Wanted


def surplus_pods(wanted: Wanted, live: Sequence[Pod], done: int, surge: int, now: float) -> list[Pod]:
    """Return the Pods beyond the number wanted, and `surge` with generated names; those that go first.

    `live` has those that are done, too; `done` counts further ones, whose Pods are gone.
    """
    excess = len(live) + done - wanted.replicas
    if excess <= 0:
        return []
    if wanted.naming == "Stable":
        condemned = [p for p in live if is_condemned(wanted, p.name)]
        return sorted(condemned, key=lambda p: stable_rank(wanted, p, now))[: min(excess, MOST_AT_ONCE)]
    return sorted(live, key=lambda p: _deletion_rank(wanted, p, now))[
        : min(max(0, excess - surge), MOST_AT_ONCE)
    ]


def stable_rank(wanted: Wanted, pod: Pod, now: float) -> tuple[object, ...]:
    """The unavailable first, then the highest index, as StatefulSet does; where the order of Pods counts, it
    is the index alone."""
    return (
        not wanted.ordered and pod.available(now, wanted.min_ready_seconds),
        -(ordinal(wanted, pod.name) or 0),
        pod.created,
        pod.name,
    )


def _deletion_rank(wanted: Wanted, pod: Pod, now: float) -> tuple[object, ...]:
    """ReplicaSet's order (kubernetes pkg/controller, ActivePodsWithRanks), but among the available ones those
    of an old revision go first, and those that have done their work last."""
    return (
        pod.done,
        pod.node != "",
        pod.phase == "Running",
        pod.ready_since is not None,
        pod.available(now, wanted.min_ready_seconds),
        pod.is_of(wanted.revision),
        pod.deletion_cost,
        pod.ready_since is not None and now - pod.ready_since,
        -pod.restarts,
        -pod.created,
        pod.name,
    )
