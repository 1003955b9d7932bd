"""The planner: which Pods to delete, to update in place and to create, now.

Read top to bottom: sort the Pods by what they are (live, done, terminating, ended), clear away the ended,
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
from podpatterns.replicas.actions import MOST_AT_ONCE, Create, Delete, Plan, Refresh, Update
from podpatterns.replicas.completion import awaits_count, completed_elsewhere, completed_ordinals
from podpatterns.replicas.drain import service_changes, until_drained
from podpatterns.replicas.limits import UNLIMITED, Limits, limited
from podpatterns.replicas.order import in_turn, last_to_leave
from podpatterns.replicas.ordinal import is_below_partition, is_condemned, ordinals, stable_name
from podpatterns.replicas.pod import Pod
from podpatterns.replicas.rollout import (
    is_updated_in_place,
    judged,
    misses_configuration,
    needs_surge,
    outdated_pods,
    why_outdated,
)
from podpatterns.replicas.scaledown import surplus_pods
from podpatterns.replicas.wanted import Wanted


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
    pods = [judged(wanted, p, now) for p in pods]
    if wanted.works and wanted.work.exceeded:
        return _failed(wanted, pods, now)
    ended = [p for p in pods if p.finished and not p.terminating and not p.done]
    due = [p for p in ended if not awaits_count(wanted, p) and _wait(p, now, limits.backoff) <= 0]
    cleared = sorted(due, key=lambda p: (p.created, p.name))[:MOST_AT_ONCE]
    backing_off = len(ended) - len(cleared)

    there = [p for p in pods if p.live or p.done]
    done = completed_elsewhere(wanted, pods)
    surge = wanted.max_surge if needs_surge(wanted, there) else 0
    surplus = surplus_pods(wanted, there, done, surge, now)
    there = _without(surplus, there)
    outdated = outdated_pods(wanted, there, done, now)
    in_place = [p for p in outdated if is_updated_in_place(wanted, p)]
    replaced = _without(in_place, outdated)
    if wanted.ordered:
        leaving = last_to_leave(wanted, pods, [*surplus, *replaced])
        uids = {p.uid for p in leaving}
        surplus, replaced = ([p for p in some if p.uid in uids] for some in (surplus, replaced))
    kept = _without(replaced, there)
    live = [p for p in kept if p.live]
    room = wanted.replicas - len(kept) - done - backing_off
    gone = [p for p in pods if p.terminating] + cleared

    todo = Plan(
        deletes=tuple(
            [Delete(p.name, p.uid, p.reason or p.phase, p.revision) for p in cleared]
            + [Delete(p.name, p.uid, PodReason.SCALED_DOWN, p.revision) for p in surplus]
            + [Delete(p.name, p.uid, why_outdated(wanted, p), p.revision, p.not_in_place) for p in replaced]
        ),
        updates=tuple(
            Update(p.name, p.uid, p.revision) for p in in_place if not until_drained(wanted, p, now)
        ),
        refreshes=tuple(Refresh(p.name, p.uid) for p in live if misses_configuration(wanted, p)),
        service_changes=tuple(
            islice(service_changes(wanted, live, {p.uid for p in in_place}, now), MOST_AT_ONCE)
        ),
        creates=tuple(
            islice(
                _free_slots(wanted, pods, room, now, limits)
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
        wake_after=min(
            (*_waits(wanted, ended, kept, now, limits.backoff), *_drain_waits(wanted, in_place, now)),
            default=None,
        ),
    )
    return limited(todo, wanted, limits)


def _without(some: Sequence[Pod], pods: Sequence[Pod]) -> list[Pod]:
    uids = {p.uid for p in some}
    return [p for p in pods if p.uid not in uids]


def _failed(wanted: Wanted, pods: Sequence[Pod], now: float) -> Plan:
    """Return the end of work that has failed: as a Job's, its Pods that run are deleted, and those that have
    ended stay for their logs, as many as are wanted."""
    active = [p for p in pods if p.live]
    ended = [p for p in pods if p.finished and not p.terminating]
    surplus = (
        [p for p in ended if is_condemned(wanted, p.name)]
        if wanted.naming == "Stable"
        else surplus_pods(wanted, ended, 0, 0, now)
    )
    deletes = [Delete(p.name, p.uid, PodReason.WORK_FAILED, p.revision) for p in active]
    deletes += [Delete(p.name, p.uid, PodReason.SCALED_DOWN, p.revision) for p in surplus]
    return Plan(deletes=tuple(deletes[:MOST_AT_ONCE]))


def _wait(pod: Pod, now: float, backoff: float) -> float:
    """Seconds until a finished Pod may be replaced."""
    return pod.created + backoff - now


def _free_slots(
    wanted: Wanted, pods: Sequence[Pod], room: int, now: float, limits: Limits
) -> Iterator[Create]:
    """Lowest first. A name is free when its last holder is gone; terminating, finished Pods keep theirs."""
    if room <= 0:
        return
    completed = completed_ordinals(wanted, pods)
    held_names = {p.name for p in pods}
    names = ((i, stable_name(wanted.name, i)) for i in ordinals(wanted) if i not in completed)
    free: Iterator[tuple[int, str]]
    free = ((i, n) for i, n in names if n not in held_names and n not in limits.taken_names)
    if wanted.ordered:
        up = {p.name for p in pods if p.done or p.available(now, wanted.min_ready_seconds)}
        free = in_turn(wanted, free, lambda i: i in completed or stable_name(wanted.name, i) in up)
    for index, name in islice(free, room):
        if wanted.paused:
            revision = wanted.as_it_was(limits.lost.get(name))
        else:
            held = is_below_partition(wanted, index)
            revision = wanted.as_it_was(None) if held else wanted.revision
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
    if needs_surge(wanted, kept):
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
        waited_for = pod.resize_pending and (wanted.rolls_out or pod.in_service is False)
        if waited_for and (rest := pod.resize_left(now, wanted.resize_timeout)) > 0:
            yield rest


def _drain_waits(wanted: Wanted, in_place: Sequence[Pod], now: float) -> Iterator[float]:
    """Yield the seconds until Pods that have left their Services can be updated."""
    for pod in in_place:
        left = until_drained(wanted, pod, now)
        if left > 0 and not pod.in_service:
            yield left
