"""One round of work on the Pods of an object: plan, carry out, note what came of it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from podpatterns.controller.executor import Executor, Outcome
from podpatterns.controller.objectstate import ObjectState
from podpatterns.controller.objectstore import Entry
from podpatterns.controller.podnames import fresh_names
from podpatterns.controller.podstore import MANY_PODS, PodStore
from podpatterns.controller.threads import off_the_loop
from podpatterns.controller.transition import Transition
from podpatterns.replicas import Plan, Pod, Wanted, plan

TERMINATING_SECONDS = 60.0
"""Until the next try where the namespace is being deleted: the object goes the same way by then."""
OVERTAKEN_SECONDS = 1.0
"""Until the next try where Pods changed while they were updated, unless their changes are seen before."""


class PodKeeper:
    def __init__(self, store: PodStore, executor: Executor) -> None:
        self._store = store
        self._executor = executor

    async def carry_out(
        self, entry: Entry, wanted: Wanted, transition: Transition, state: ObjectState
    ) -> tuple[float | None, Outcome]:
        """Make the Pods more like what is wanted; with the seconds after which to reconcile again."""
        pods = self._store.of(entry.key, entry.uid)
        generation, now = entry.generation, time.monotonic()
        if (busy := state.busy_until - now) > 0:
            return busy, Outcome()
        size = len(pods) + len(wanted.work.completed)
        todo = await off_the_loop(size, MANY_PODS, _decide, wanted, pods, state, generation, now, time.time())
        if todo.complete:
            # What was refused is history.
            state.pods.clear()
            state.updates.clear()
        outcome = await self._executor.carry_out(todo, entry, transition)
        now = time.monotonic()
        state.note_unanswered(outcome.unanswered, now)
        state.note_not_in_place(wanted.revision, outcome.not_in_place, pods)
        state.note_taken(outcome.taken, generation, now)
        state.claims.note(outcome.claims)
        state.carried_out(outcome.deleted, pods, self._store.of(entry.key, entry.uid))
        return _next(todo, outcome, state, generation, now), outcome


def _decide(
    wanted: Wanted, pods: Sequence[Pod], state: ObjectState, generation: int, now: float, unix_now: float
) -> Plan:
    limits = state.limits(wanted, pods, generation, now)
    return plan(wanted, pods, unix_now, fresh_names(wanted.name), limits)


def _next(todo: Plan, outcome: Outcome, state: ObjectState, generation: int, now: float) -> float | None:
    """Note what was refused; return the seconds after which to reconcile again, 0 where it went on."""
    waits = [todo.wake_after, state.until_a_name_is_tried(generation, now)]
    if outcome.failure:
        # Where nothing but updates was refused, Pods that are missing don't wait for them.
        refusal = state.pods if outcome.stopped else state.updates
        return refusal.note(outcome.failure, generation, now, outcome.retry_after)
    if outcome.namespace_terminating:
        return TERMINATING_SECONDS
    if outcome.busy:
        state.busy_until = now + outcome.busy
        return outcome.busy
    if not (state.pods.left(generation, now) or state.updates.left(generation, now)):
        state.pods.clear()
        state.updates.clear()
        done = todo.deletes or outcome.updated or outcome.not_in_place or outcome.in_service_changed
        if done or len(todo.creates) > len(outcome.taken):
            return 0
        if todo.updates or todo.service_changes:
            waits.append(OVERTAKEN_SECONDS)
    return min((seconds for seconds in waits if seconds is not None), default=None)
