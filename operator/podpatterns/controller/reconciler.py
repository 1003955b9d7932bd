"""One reconcile of one object: observe, decide, act, report.

The contract is in `podpatterns.controller`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from podpatterns.api import Pattern
from podpatterns.compose import Composition, HelperImages, Problem
from podpatterns.controller.apiserver import ApiError, ApiServer, UnansweredError
from podpatterns.controller.claims import Claims
from podpatterns.controller.compositions import Compositions
from podpatterns.controller.configmaps import ConfigMaps
from podpatterns.controller.configmapstore import ConfigMapStore
from podpatterns.controller.configurationpoller import Configurations
from podpatterns.controller.contractpoller import Contracts
from podpatterns.controller.controllerrevisions import History
from podpatterns.controller.events import Events
from podpatterns.controller.executor import Executor
from podpatterns.controller.key import Key
from podpatterns.controller.leadership import LeadershipLostError
from podpatterns.controller.metrics import RECONCILE_ERRORS
from podpatterns.controller.objectstate import LONGEST_TAKEN, ObjectState
from podpatterns.controller.objectstore import Entry, ObjectStore
from podpatterns.controller.ownership import Ownership
from podpatterns.controller.podkeeper import PodKeeper
from podpatterns.controller.podmonitors import PodMonitors
from podpatterns.controller.podstore import MANY_PODS, PodStore
from podpatterns.controller.recorder import Recorder
from podpatterns.controller.revisions import CannotWrite, Revisions, held_revision, kept, unwritten
from podpatterns.controller.statuswriter import StatusWriter
from podpatterns.controller.transition import transition_to_newest
from podpatterns.replicas import Wanted
from podpatterns.replicas.failure import Failure, internal_error
from podpatterns.replicas.progress import newly_stalled, until_stuck
from podpatterns.replicas.status import at_rest, failed_status, unreadable_status
from podpatterns.replicas.work import Work

THROTTLE_PER_POD = 0.00005
"""Seconds between two reconciles of an object for each of its Pods, or of a part for each of its users. One
of 500 takes some 2 ms, and while they start there is news every few: one in 25 ms sees it all, and leaves the
time to its makers."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stores:
    """The cluster as last seen."""

    objects: ObjectStore
    pods: PodStore
    config_maps: ConfigMapStore


@dataclass(frozen=True, slots=True)
class Observability:
    """What helpers are asked, and what is done about the metrics of adapters."""

    configurations: Configurations
    contracts: Contracts
    pod_monitors: PodMonitors


@dataclass(frozen=True, slots=True)
class Result:
    """When to reconcile again."""

    after: float | None = None
    """Seconds; None when only an event can change anything."""
    status_pending: bool = False
    """The status is to be written: reconcile again with `write_status`, as soon as there is time."""
    throttle: float = 0
    """Seconds that the next reconcile waits, whatever happens."""


class Reconciler:
    """`changed` gets the keys for which the answer to a write of ours brought news."""

    def __init__(
        self,
        api: ApiServer,
        stores: Stores,
        observability: Observability,
        recorder: Recorder,
        changed: Callable[[Iterable[Key]], None],
        *,
        images: HelperImages,
    ) -> None:
        self._api = api
        self._objects = stores.objects
        self._pods = stores.pods
        self._observability = observability
        self._recorder = recorder
        self._compositions = Compositions(stores.objects, images)
        self._config_maps = ConfigMaps(api, stores.config_maps)
        self._keeper = PodKeeper(stores.pods, Executor(api, stores.pods))
        self._claims = Claims(api)
        self._events = Events(recorder)
        self._ownership = Ownership(api, stores.pods, self._events)
        self._revisions = Revisions(History(api, self._events.revision_ignored))
        pollers = (observability.configurations, observability.contracts)
        self._status = StatusWriter(api, (stores.objects, stores.pods), pollers, changed)
        self._states: dict[Key, ObjectState] = {}

    async def reconcile(self, key: Key, *, write_status: bool) -> Result:
        """Reconcile once. Without `write_status` the status and history of an object that can work wait."""
        entry = self._objects.get(key)
        if entry is None or entry.terminating:
            # Owner references and the cluster's garbage collector delete the Pods.
            self._forget(key)
            return Result()
        state = self._states.get(key)
        if state is None or state.uid != entry.uid:
            state = self._states[key] = ObjectState(entry.uid)
        self._revisions.take(key)
        try:
            return await self._reconcile(entry, state, write_status=write_status)
        except (ApiError, UnansweredError, LeadershipLostError):
            raise
        except Exception as error:
            log.exception("Reconcile failed unexpectedly")
            return await self._survive(entry, state, error)
        finally:
            self._revisions.put_back(key, state)

    async def _reconcile(self, entry: Entry, state: ObjectState, *, write_status: bool) -> Result:
        composed = await self._compositions.of(entry)
        if composed.problems and (composed.app is None or entry.is_part):
            self._events.problems(entry, composed.problems)
        if composed.app is None:
            status = unreadable_status(entry.generation, composed.problems, entry.status, time.time())
            return await self._write_status(entry, status, state)
        if entry.is_part:
            status = await self._status.of_part(entry, composed.app, composed.problems)
            result = await self._write_status(entry, status, state)
            return replace(result, throttle=THROTTLE_PER_POD * status.get("users", 0))
        if retry := state.internal.left(entry.generation, time.monotonic()):
            result = await self._hold(entry, composed.app, state, error=state.internal.failure)
            return replace(result, after=_sooner(result.after, retry))
        if composed.composition is None:
            if composed.problems:
                self._events.problems(entry, composed.problems)
            wait = self._failed(entry, state, composed.error) if composed.error else None
            result = await self._hold(
                entry, composed.app, state, problems=composed.problems, error=composed.error
            )
            return replace(result, after=_sooner(result.after, wait))
        try:
            return await self._keep(
                entry, composed.app, composed.composition, state, write_status=write_status
            )
        except CannotWrite as refused:
            self._events.refused(entry, refused.failure)
            result = await self._hold(
                entry, composed.app, state, error=refused.failure, unwritten=composed.composition
            )
            return replace(result, after=_sooner(result.after, refused.after))

    async def _keep(
        self, entry: Entry, app: Pattern, composition: Composition, state: ObjectState, *, write_status: bool
    ) -> Result:
        """One round of writes, and what is to be told of it."""
        wanted = Wanted.of(app, composition.revision)
        await self._ownership.adopt(entry, app, wanted)
        pods = self._pods.of(entry.key, entry.uid)
        revisions = await self._revisions.of(entry, app, composition, pods, state)
        changes = await self._revisions.changes(revisions, entry, app, composition, pods, state)
        unchanged = frozenset(r for r, change in changes.items() if change.empty)
        wanted = replace(
            wanted,
            configuration=composition.configuration,
            work=Work.recorded(entry.status, wanted.revision, paused=wanted.paused, unchanged=unchanged),
            held_revision=held_revision(entry, app, state, composition.revision),
            in_place=frozenset(r for r, change in changes.items() if change.in_place),
            unchanged=unchanged,
            restart_application=frozenset(
                r for r, change in changes.items() if not composition.application.isdisjoint(change.restarts)
            ),
            refused=state.refused(composition.revision),
            known=frozenset(r.hash for r in revisions),
        )
        await self._keep_config_map(entry, app, composition, wanted, state)
        held = self._config_maps.held_configuration(app, composition) if wanted.paused else ""
        wanted = replace(wanted, configuration_held=bool(held))
        given = replace(composition, configuration=held or composition.configuration)
        # Before a Pod goes: its claims may not go with it any more.
        known = state.claims.refusal.failure
        compared = await self._claims.compare(entry, app, wanted, pods, state.claims)
        if (failure := state.claims.refusal.failure) and failure is not known:
            self._events.refused(entry, failure)
        transition = transition_to_newest(app, given, revisions, changes)
        after, outcome = await self._keeper.carry_out(entry, wanted, transition, state)
        self._events.pods(entry, outcome, changes)
        if outcome.error:
            raise outcome.error
        unmonitored = await self._observability.pod_monitors.keep(
            entry.key, app, composition, state.pod_monitor
        )
        if unmonitored and not outcome.failure:
            self._events.no_pod_monitor(entry, unmonitored)
        result = await self._conclude(entry, app, composition, wanted, state, write_status=write_status)
        await self._ownership.release(entry)
        state.internal.clear()
        refused = state.pod_monitor.left(entry.generation, time.monotonic()) or None
        after = _sooner(_sooner(_sooner(after, result.after), refused), compared)
        return replace(result, after=after, throttle=THROTTLE_PER_POD * len(pods))

    async def _keep_config_map(
        self, entry: Entry, app: Pattern, composition: Composition, wanted: Wanted, state: ObjectState
    ) -> None:
        """Raises CannotWrite: a Pod that mounts it would not start, or start with what a stranger wrote."""
        generation, now = entry.generation, time.monotonic()
        if refused := state.config_map.left(generation, now):
            assert state.config_map.failure
            raise CannotWrite(state.config_map.failure, refused)
        pods = self._pods.of(entry.key, entry.uid)
        if failure := await self._config_maps.keep(app, composition, wanted, pods):
            retry = state.config_map.note(failure, generation, now, longest=LONGEST_TAKEN)
            raise CannotWrite(failure, retry)
        state.config_map.clear()

    async def _hold(
        self,
        entry: Entry,
        app: Pattern,
        state: ObjectState,
        *,
        problems: Sequence[Problem] = (),
        error: Failure | None = None,
        unwritten: Composition | None = None,
    ) -> Result:
        """Keep the Pods at the last good revision, while the newest has `problems` or could not be written.

        They are replaced and scaled, and nothing is rolled out; a correction goes on from there.
        """
        result, wanted = Result(), None
        if unwritten is None:
            state.config_map.clear()
        state.claims.key = ""  # nobody compares them with a spec that may change
        good = None
        if state.config_map.failure is None or self._config_maps.is_own(app):
            # Else Pods would not start, or would start with what a stranger wrote.
            good = await self._revisions.last_good(entry, app, state)
        if good is None and unwritten is not None and state.history.failure:
            # No revision was ever written: what is missing can only be made as it would be now.
            bare = Wanted.of(app, unwritten.revision)
            pods = self._pods.of(entry.key, entry.uid)
            if not await self._config_maps.keep(app, unwritten, bare, pods):
                good = unwritten
        if good is not None:
            await self._restore_config_map(entry, app, good, state)
            revisions = state.revisions or ()
            wanted = replace(
                Wanted.holding(app, good.revision, good.template),
                work=Work.recorded(entry.status, good.revision, paused=True),
                held_revision=held_revision(entry, app, state, good.revision),
                known=frozenset(r.hash for r in revisions),
                unwritten=unwritten.revision if unwritten else "",
            )
            await self._ownership.adopt(entry, app, wanted)
            after, outcome = await self._keeper.carry_out(
                entry, wanted, transition_to_newest(app, good, revisions, {}), state
            )
            self._events.pods(entry, outcome, {})
            if outcome.error:
                raise outcome.error
            result = Result(after, throttle=THROTTLE_PER_POD * len(self._pods.of(entry.key, entry.uid)))
        status = await self._report(entry, app, None, wanted, state, problems=problems, error=error)
        if good is not None and not kept(state, good.revision):
            status = _unnamed(status)
        told = await self._write_status(entry, status, state)
        await self._ownership.release(entry)
        refused = state.history.left(entry.generation, time.monotonic()) or None
        return replace(result, after=_sooner(_sooner(result.after, told.after), refused))

    async def _restore_config_map(
        self, entry: Entry, app: Pattern, good: Composition, state: ObjectState
    ) -> None:
        """Write the ConfigMap anew that somebody deleted while the object is held.

        A refusal keeps no Pod from being made: it starts as soon as the ConfigMap is there.
        """
        revision = next((r for r in state.revisions or () if r.hash == good.revision), None)
        if revision is None or not self._config_maps.is_missing(app, good.template):
            return
        if composition := await self._compositions.of_revision(entry, revision):
            pods = self._pods.of(entry.key, entry.uid)
            wanted = Wanted.of(app, good.revision)
            if failure := await self._config_maps.keep(app, composition, wanted, pods):
                self._events.refused(entry, failure)

    async def _survive(self, entry: Entry, state: ObjectState, error: Exception) -> Result:
        """Keep the Pods in spite of an error of the operator's own, and tell it."""
        failure = internal_error(error)
        retry = self._failed(entry, state, failure)
        try:
            composed = await self._compositions.of(entry)
            if composed.app is not None and not entry.is_part:
                result = await self._hold(entry, composed.app, state, error=failure)
                return replace(result, after=_sooner(result.after, retry))
        except (ApiError, UnansweredError, LeadershipLostError):
            raise
        except Exception:
            log.exception("Pods not reconciled")
        status = failed_status(entry.generation, error, entry.status, time.time())
        result = await self._write_status(entry, status, state)
        return replace(result, after=_sooner(result.after, retry))

    def _failed(self, entry: Entry, state: ObjectState, failure: Failure) -> float:
        """Note an error of the operator's own; return the seconds until the next try."""
        RECONCILE_ERRORS.labels(entry.key.kind).inc()
        return state.internal.note(failure, entry.generation, time.monotonic())

    async def _conclude(
        self,
        entry: Entry,
        app: Pattern,
        composition: Composition,
        wanted: Wanted,
        state: ObjectState,
        *,
        write_status: bool,
    ) -> Result:
        """The status, and the history that goes with it, when it is time for them."""
        now, pods = time.monotonic(), self._pods.of(entry.key, entry.uid)
        if len(pods) > MANY_PODS and state.status_due and state.status_due > now:
            return Result(state.status_due - now)  # it would take a while to find out what to tell
        status = await self._report(entry, app, composition, wanted, state)
        in_motion = not (status == entry.status or at_rest(status) or state.failure or state.taken)
        if in_motion and (pause := state.status_may_wait(now, self._api.answer_time)):
            return Result(pause)
        result = Result(until_stuck(app, status, time.time()))
        refused = state.history.left(entry.generation, now)
        history_due = not refused and bool(state.begun or state.revisions)
        if not write_status and (history_due or status != entry.status):
            return replace(result, status_pending=True)
        state.status_due = None
        if history_due:
            if failure := await self._revisions.conclude(entry, app, pods, state, status):
                self._events.refused(entry, failure)
            status = await self._report(entry, app, composition, wanted, state)
        if state.history.failure:
            wait = state.history.left(entry.generation, time.monotonic())
            result = replace(result, after=_sooner(result.after, wait))
        told = await self._write_status(entry, status, state, at_once=True)
        return replace(result, after=_sooner(result.after, told.after))

    async def _report(
        self,
        entry: Entry,
        app: Pattern,
        composition: Composition | None,
        wanted: Wanted | None,
        state: ObjectState,
        *,
        problems: Sequence[Problem] = (),
        error: Failure | None = None,
    ) -> dict[str, Any]:
        """Return the status: observe, report, and have polled what the next report needs.

        It names a revision only when that is kept: by what it names a successor of this process knows.
        """
        observed = await self._status.observe(entry, app, composition, state, problems=problems, error=error)
        status = await self._status.report(entry, app, wanted, observed, state)
        self._status.subscribe(entry.key, observed)
        unkept = composition is not None and state.begun and state.history.failure
        return _unnamed(status) if unkept else status

    async def _write_status(
        self, entry: Entry, status: Mapping[str, Any], state: ObjectState, *, at_once: bool = False
    ) -> Result:
        """Write the status; one that goes on about the same generation not more often than it has to be."""
        generation, now = entry.generation, time.monotonic()
        if status == entry.status:
            state.status_due = None
            return Result()
        if refused := state.status.left(generation, now):
            return Result(refused)
        same = entry.status.get("observedGeneration") == generation
        if same and not at_once and (pause := state.status_may_wait(now, self._api.answer_time)):
            return Result(pause)
        state.status_due = None
        try:
            await self._status.write(entry, status)
        except ApiError as error:
            failure = unwritten(error, "status")
            return Result(state.status.note(failure, generation, time.monotonic()))
        state.status.clear()
        if stalled := newly_stalled(status, entry.status):
            self._events.stalled(entry, *stalled)
        # What is recorded of work that ends, and only that, the next plan goes by. A CRD of an earlier
        # version drops it.
        written = self._objects.get(entry.key)
        recorded = written is not None and written.status.get("work") != entry.status.get("work")
        return Result(0 if recorded else None)

    def _forget(self, key: Key) -> None:
        self._states.pop(key, None)
        self._pods.settle_all(key)
        self._compositions.forget(key)
        self._revisions.take(key)
        self._observability.contracts.subscribe(key, None)
        self._observability.configurations.subscribe(key, None)
        self._observability.pod_monitors.forget(key)
        self._recorder.clear_warning(key)


def _unnamed(status: Mapping[str, Any]) -> dict[str, Any]:
    """A status without the names of revisions."""
    return {k: v for k, v in status.items() if k not in ("updateRevision", "currentRevision")}


def _sooner(one: float | None, other: float | None) -> float | None:
    return min((seconds for seconds in (one, other) if seconds is not None), default=None)
