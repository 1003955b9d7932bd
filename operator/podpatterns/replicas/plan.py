"""The planner: which Pods to delete, to update in place and to create, now.

Read top to bottom: sort the Pods by what they are (live, terminating, finished), clear away the finished,
take the surplus, fill the gaps, and bring outdated ones up to date as far as availability allows. The same
function serves creation, repair, scaling and rollout: it regards only what is wanted and what is there.

Deletes come before creates: a Pod that is deleted here no longer counts as live there, and so the number of
live Pods never exceeds replicas + maxSurge.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from podpatterns.api.conditions import PodReason
from podpatterns.replicas.actions import Create, Delete, Plan, Refresh, Update
from podpatterns.replicas.limits import UNLIMITED, Limits, limited
from podpatterns.replicas.ordinal import is_condemned, ordinal
from podpatterns.replicas.pod import Pod
from podpatterns.replicas.wanted import Wanted

MOST_AT_ONCE = 500
"""Pods that one plan creates, updates, or deletes for one reason. One object may want 100,000; the next plan
goes on where this one ends, and the others have their turn in between."""


def plan(
    wanted: Wanted,
    pods: Sequence[Pod],
    now: float,
    fresh_names: Iterator[str],
    limits: Limits = UNLIMITED,
) -> Plan:
    """Decide what to do next.

    `pods` are all Pods that the object controls; `fresh_names` yields unused names for Generated naming.
    """
    done = sum(1 for p in pods if _done(wanted, p))
    ended = [p for p in pods if p.finished and not p.terminating and not _done(wanted, p)]
    due = [p for p in ended if _wait(p, now, limits.backoff) <= 0]
    cleared = sorted(due, key=lambda p: (p.created, p.name))[:MOST_AT_ONCE]
    backing_off = len(ended) - len(cleared)

    live = [p for p in pods if p.live]
    surplus = _surplus(wanted, live, done, now)
    live = _without(surplus, live)
    outdated = _outdated(wanted, live, done, now)
    replaced = [p for p in outdated if not _in_place(wanted, p)]
    kept = _without(replaced, live)
    room = wanted.replicas - len(kept) - done - backing_off
    gone = [p for p in pods if p.terminating] + cleared

    todo = Plan(
        deletes=tuple(
            [Delete(p.name, p.uid, p.reason or p.phase, p.revision) for p in cleared]
            + [Delete(p.name, p.uid, PodReason.SCALED_DOWN, p.revision) for p in surplus]
            + [Delete(p.name, p.uid, _why_outdated(wanted, p), p.revision) for p in replaced]
        ),
        updates=tuple(Update(p.name, p.uid, p.revision) for p in _without(replaced, outdated)),
        refreshes=tuple(Refresh(p.name, p.uid) for p in kept if _misses_configuration(wanted, p)),
        creates=tuple(
            islice(
                _free_slots(wanted, pods, room, limits)
                if wanted.naming == "Stable"
                else _fresh(
                    wanted,
                    kept,
                    _generated_room(wanted, pods, kept, done, room),
                    fresh_names,
                    gone,
                    limits.lost,
                ),
                MOST_AT_ONCE,
            )
        ),
        wake_after=min(_waits(wanted, ended, kept, now, limits.backoff), default=None),
    )
    return limited(todo, wanted, limits)


def _without(some: Sequence[Pod], pods: Sequence[Pod]) -> list[Pod]:
    uids = {p.uid for p in some}
    return [p for p in pods if p.uid not in uids]


def _done(wanted: Wanted, pod: Pod) -> bool:
    """The Pod ran to completion and stays as one of the replicas."""
    return wanted.runs_to_completion and pod.phase == "Succeeded" and not pod.terminating


def _wait(pod: Pod, now: float, backoff: float) -> float:
    """Seconds until a finished Pod may be replaced."""
    return pod.created + backoff - now


def _surplus(wanted: Wanted, live: Sequence[Pod], done: int, now: float) -> list[Pod]:
    """Those beyond the number wanted, the ones that go first."""
    excess = len(live) + done - wanted.replicas
    if excess <= 0:
        return []
    if wanted.naming == "Stable":
        condemned = [p for p in live if is_condemned(wanted, p.name)]
        return sorted(condemned, key=lambda p: _stable_rank(wanted, p, now))[: min(excess, MOST_AT_ONCE)]
    surge = wanted.max_surge if _stands_in(wanted, live) else 0
    return sorted(live, key=lambda p: _deletion_rank(wanted, p, now))[
        : min(max(0, excess - surge), MOST_AT_ONCE)
    ]


def _stands_in(wanted: Wanted, pods: Sequence[Pod]) -> bool:
    """A rollout goes on that needs Pods beyond the number wanted, with generated names.

    What can be brought up to date where it is needs nobody to stand in, if it may be missing for a moment.
    """
    old = [p for p in pods if not p.is_of(wanted.revision)]
    in_place = all(_in_place(wanted, p) for p in old)
    return wanted.rolls_out and len(old) > wanted.partition and not (in_place and wanted.max_unavailable)


def _stable_rank(wanted: Wanted, pod: Pod, now: float) -> tuple[object, ...]:
    """The unavailable first, then the highest index, as StatefulSet does."""
    return (
        pod.available(now, wanted.min_ready_seconds),
        -(ordinal(wanted, pod.name) or 0),
        pod.created,
        pod.name,
    )


def _deletion_rank(wanted: Wanted, pod: Pod, now: float) -> tuple[object, ...]:
    """ReplicaSet's order (kubernetes pkg/controller, ActivePodsWithRanks), but among the available ones those
    of an old revision go first."""
    return (
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


def _is_outdated(wanted: Wanted, pod: Pod) -> bool:
    if is_condemned(wanted, pod.name):
        return not wanted.holds or ordinal(wanted, pod.name) is not None
    if wanted.naming == "Stable" and (ordinal(wanted, pod.name) or 0) < wanted.partition:
        return False
    return wanted.rolls_out and not pod.is_of(wanted.revision)


def _in_place(wanted: Wanted, pod: Pod) -> bool:
    can = wanted.update == "InPlaceIfPossible" and pod.revision in wanted.in_place
    # One between two revisions can be brought on, but nobody knows how to bring it back.
    return can and pod.between in ("", wanted.revision) and not is_condemned(wanted, pod.name)


def _misses_configuration(wanted: Wanted, pod: Pod) -> bool:
    """A Pod that never had the annotation, as an older operator made it, waits for the kubelet's own sync."""
    another = pod.configuration not in ("", wanted.configuration)
    return another and pod.revision == wanted.revision and not wanted.holds


def _why_outdated(wanted: Wanted, pod: Pod) -> str:
    beyond = wanted.naming == "Stable" and (ordinal(wanted, pod.name) or 0) >= wanted.replicas
    return PodReason.SCALED_DOWN if beyond else PodReason.OUTDATED


def _outdated(wanted: Wanted, live: Sequence[Pod], done: int, now: float) -> list[Pod]:
    """Those to bring up to date now: the unavailable before the available, then what was begun, then the
    highest index first.

    A Pod in flight is one that is missing, or new and not yet available, or new and not yet as its node wants
    it. Never are more in flight than
    maxUnavailable + maxSurge, so that a bad revision can't spread further than that.
    """
    old = [p for p in live if _is_outdated(wanted, p)]
    if not old:
        return []
    available = {p.uid for p in live if p.available(now, wanted.min_ready_seconds)}
    new_in_flight = sum(
        1 for p in live if not _is_outdated(wanted, p) and (p.uid not in available or p.settling)
    )
    in_flight = new_in_flight + max(0, wanted.replicas - len(live) - done)
    may_lose = len(available) + done - (wanted.replicas - wanted.max_unavailable)
    chosen: list[Pod] = []
    old.sort(key=lambda p: (p.uid in available, p.between == "", *_stable_rank(wanted, p, now)))
    if wanted.naming == "Generated":
        old = old[: max(0, len(old) - wanted.partition)]
    for pod in old:
        if in_flight >= wanted.max_unavailable + wanted.max_surge or len(chosen) == MOST_AT_ONCE:
            break
        if pod.uid in available:
            if may_lose <= 0:
                break
            may_lose -= 1
        in_flight += 1
        chosen.append(pod)
    return chosen


def _free_slots(wanted: Wanted, pods: Sequence[Pod], room: int, limits: Limits) -> Iterator[Create]:
    """Lowest first. A name is free when its last holder is gone; terminating, finished Pods keep theirs."""
    held_names = {p.name for p in pods}
    names = ((i, f"{wanted.name}-{i}") for i in range(wanted.replicas))
    free = ((i, name) for i, name in names if name not in held_names and name not in limits.taken_names)
    for index, name in islice(free, max(0, room)):
        if wanted.paused:
            revision = wanted.as_it_was(limits.lost.get(name))
        else:
            revision = wanted.as_it_was(None) if index < wanted.partition else wanted.revision
        yield Create(name, index, revision)


def _fresh(
    wanted: Wanted,
    kept: Sequence[Pod],
    room: int,
    names: Iterator[str],
    gone: Sequence[Pod],
    lost: Mapping[str, str],
) -> Iterator[Create]:
    """With generated names any Pods are those that the update is kept away from: as many as are missing."""
    old = sum(1 for p in kept if not p.is_of(wanted.revision))
    held = room if wanted.paused else max(0, min(wanted.partition, wanted.replicas) - old)
    were = deque([*lost.values(), *(p.revision for p in gone if p.name not in lost)] if wanted.paused else ())
    for i in range(room):
        was = were.popleft() if were else None
        yield Create(next(names), None, wanted.as_it_was(was) if i < held else wanted.revision)


def _generated_room(wanted: Wanted, pods: Sequence[Pod], kept: Sequence[Pod], done: int, room: int) -> int:
    if _stands_in(wanted, kept):
        new = sum(1 for p in kept if p.is_of(wanted.revision))
        room = max(room, min(room + wanted.max_surge, wanted.replicas - wanted.partition - new - done))
    if wanted.replacement == "Failed":
        room -= sum(1 for p in pods if p.terminating and not p.finished)
    return max(0, room)


def _waits(
    wanted: Wanted, ended: Sequence[Pod], live: Sequence[Pod], now: float, backoff: float
) -> Iterator[float]:
    """Yield the seconds until time alone makes a change: a back-off ends, a ready Pod becomes available."""
    for pod in ended:
        if (wait := _wait(pod, now, backoff)) > 0:
            yield wait
    for pod in live:
        if (left := pod.available_after(now, wanted.min_ready_seconds)) is not None:
            yield left
