"""One look at one object: read the stores, plan, carry out, write the status.

The contract: `reconcile(key)` may be called at any time, any number of times, for any key, and never for one
key twice at once. It derives everything from the present state; there is no separate path for creation,
update or deletion. It returns when it has done one round of writes; whatever is left calls for another round.
What only tells of Pods, the status and the history, is written by looks made for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from podpatterns.api import Pattern
from podpatterns.compose import (
    CannotCompose,
    Change,
    Composition,
    HelperImages,
    Problem,
    change,
    compose,
    pod_manifest,
)
from podpatterns.controller.apiserver import ApiError, ApiServer
from podpatterns.controller.configmaps import ConfigMaps
from podpatterns.controller.configmapstore import ConfigMapStore
from podpatterns.controller.configurations import Configurations
from podpatterns.controller.contracts import Contracts
from podpatterns.controller.executor import Executor, Outcome, Route
from podpatterns.controller.history import History, needed
from podpatterns.controller.key import Key
from podpatterns.controller.memory import Memory
from podpatterns.controller.objectstore import Entry, ObjectStore
from podpatterns.controller.ownership import Ownership
from podpatterns.controller.podmonitors import PodMonitors
from podpatterns.controller.podnames import fresh_names
from podpatterns.controller.podstore import PodStore
from podpatterns.controller.recorder import Recorder, enumerate_names
from podpatterns.replicas import Create, Delete, Pod, Wanted, plan, rest_after
from podpatterns.replicas.configuration import inquiry
from podpatterns.replicas.contract import question
from podpatterns.replicas.history import Revision
from podpatterns.replicas.progress import until_stuck
from podpatterns.replicas.status import (
    Observed,
    app_status,
    at_rest,
    part_status,
    revision_name,
    unreadable_status,
)

REST_PER_POD = 0.00005
"""Seconds between two looks at an object for each of its Pods. A look at 500 Pods takes some 2 ms, and while
they start there is news every few: one look in 25 ms sees it all, and leaves the time to who makes it."""


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
class Again:
    """When to look again."""

    after: float | None = None
    """Seconds; None when only an event can change anything."""
    untold: bool = False
    """There is something to tell: look again with `telling`, as soon as there is time."""
    rest: float = 0
    """Seconds that the next look waits, whatever happens."""


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
        self._configurations = observability.configurations
        self._contracts = observability.contracts
        self._pod_monitors = observability.pod_monitors
        self._recorder = recorder
        self._changed = changed
        self._images = images
        self._config_maps = ConfigMaps(api, stores.config_maps)
        self._executor = Executor(api, stores.pods)
        self._ownership = Ownership(api, stores.pods)
        self._history = History(api)
        self._memory: dict[Key, Memory] = {}

    async def reconcile(self, key: Key, *, telling: bool) -> Again:
        """One look; `telling` when it may write the status of an object that can work, and its history."""
        entry = self._objects.get(key)
        if entry is None or entry.leaving:
            # Owner references and the cluster's garbage collector delete the Pods.
            if forgotten := self._memory.pop(key, None):
                self._pods.settle(key, forgotten.uid, self._pods.vanished(key, forgotten.uid))
            self._contracts.forget(key)
            self._configurations.forget(key)
            self._pod_monitors.forget(key)
            self._recorder.well(key)
            return Again()
        memory = self._memory.get(key)
        if memory is None or memory.uid != entry.uid:
            memory = self._memory[key] = Memory(entry.uid)
        if entry.is_part:
            await self._write_status(entry, self._part_status(entry))
            return Again()
        composed = self._compose(entry, memory)
        if isinstance(composed, Composition):
            return await self._keep(entry, composed, memory, telling=telling)
        # No Pod is touched while the object can't work; a correction of it or of a part brings us back.
        text = "; ".join(map(str, composed))
        self._recorder.warning(entry.key, entry.uid, composed[0].reason, "Compose", text)
        await self._write_status(entry, self._app_status(entry, None, composed, memory))
        return Again()

    async def _keep(self, entry: Entry, composition: Composition, memory: Memory, *, telling: bool) -> Again:
        """One round of writes, and what is to be told of it."""
        assert entry.app is not None
        app = entry.app
        wanted = Wanted.of(app, composition.revision)
        await self._ownership.adopt(entry, app, wanted)
        pods = self._pods.of(entry.key, entry.uid)
        revisions = await self._revisions(entry, composition, pods, memory)
        changes = _changes(revisions, composition, pods)
        wanted = replace(
            wanted,
            configuration=composition.configuration,
            held_revision=_held(app, entry.status, revisions, composition.revision),
            in_place=frozenset(revision for revision, change in changes.items() if change.in_place),
        )
        if unwritten := await self._config_maps.keep(app, composition, wanted, pods):
            # A Pod that mounts it would not start, or would start with what a stranger wrote.
            self._tell(entry, Outcome(failure=unwritten), changes)
            retry = memory.hold(unwritten, entry.generation, time.monotonic(), at_least=0)
            await self._write_status(entry, self._app_status(entry, wanted, (), memory))
            return Again(retry)
        route = _route(app, composition, revisions, changes)
        after, outcome = await self._carry_out(entry, wanted, route, memory)
        self._tell(entry, outcome, changes)
        unmonitored = await self._pod_monitors.keep(entry.key, app, composition)
        if unmonitored and not outcome.failure:
            self._recorder.warning(entry.key, entry.uid, "NoPodMonitor", "Write", unmonitored)
        again = await self._conclude(entry, wanted, memory, telling=telling)
        await self._ownership.release(entry)
        return replace(again, after=_sooner(after, again.after), rest=REST_PER_POD * len(pods))

    async def _carry_out(
        self, entry: Entry, wanted: Wanted, route: Route, memory: Memory
    ) -> tuple[float | None, Outcome]:
        """Make the Pods more like what is wanted; with the seconds after which to look again."""
        pods = self._pods.of(entry.key, entry.uid)
        now = time.monotonic()
        todo = plan(wanted, pods, time.time(), fresh_names(wanted.name), rest_after(memory.failed_pods))
        todo = memory.held_back(todo, entry.generation, now)
        todo = memory.owed_first(todo, wanted, pods, now)
        outcome = await self._executor.carry_out(todo, entry, route)
        memory.note_unanswered(outcome.unanswered, time.monotonic())
        memory.carried_out(outcome.deleted, pods, self._pods.of(entry.key, entry.uid))
        if outcome.failure:
            retry = memory.hold(outcome.failure, entry.generation, time.monotonic(), outcome.retry_after)
            return retry, outcome
        if memory.held(entry.generation, now):
            return todo.wake_after, outcome
        memory.well()
        return 0 if todo.deletes or todo.updates or todo.creates else todo.wake_after, outcome

    async def _conclude(self, entry: Entry, wanted: Wanted, memory: Memory, *, telling: bool) -> Again:
        """The status, and the history that goes with it, when it is time for them."""
        assert entry.app is not None
        app = entry.app
        status = self._app_status(entry, wanted, (), memory)
        in_motion = not (status == entry.status or at_rest(status) or memory.failure)
        if in_motion and (pause := memory.status_may_wait(time.monotonic(), self._api.answer_time)):
            return Again(pause)
        again = Again(until_stuck(app, status, time.time()))
        if not telling and (memory.begun or memory.revisions or status != entry.status):
            return replace(again, untold=True)
        memory.status_due = None
        if memory.begun:
            # Before the status that says it is kept.
            await self._history.begin(*memory.begun)
        elif memory.revisions:
            pods = self._pods.of(entry.key, entry.uid)
            memory.revisions = await self._history.prune(app, memory.revisions, status, pods)
        await self._write_status(entry, status)
        return again

    async def _revisions(
        self, entry: Entry, composition: Composition, pods: Sequence[Pod], memory: Memory
    ) -> Sequence[Revision]:
        """The object's history where it matters: an update is under way, or unknown Pods are there."""
        assert entry.app is not None
        if not needed(entry.app, composition, entry.status, pods):
            memory.revisions = memory.begun = None
        elif memory.begins_with(composition, entry.status, pods):
            memory.begun = memory.begun or (entry.app, composition)
        elif memory.revisions is None or memory.revisions[-1].hash != composition.revision:
            if memory.begun:
                await self._history.begin(*memory.begun)
                memory.begun = None
            memory.revisions = await self._history.update(entry.app, composition)
        return memory.revisions or ()

    def _compose(self, entry: Entry, memory: Memory) -> Composition | tuple[Problem, ...]:
        """The composition, made anew only when the object or one of its parts changed."""
        parts = {k: e for k in entry.includes if (e := self._objects.get(k)) is not None and not e.leaving}
        sources = (entry.generation, *((k, e.uid, e.generation) for k, e in sorted(parts.items())))
        if memory.composed is None or memory.composed_from != sources:
            memory.composed, memory.composed_from = self._composed(entry, parts), sources
        return memory.composed

    def _composed(self, entry: Entry, parts: Mapping[Key, Entry]) -> Composition | tuple[Problem, ...]:
        if entry.app is None:
            return entry.problems
        available = {(k.kind, k.name): e.app for k, e in parts.items() if e.app is not None}
        try:
            return compose(entry.app, available, self._images)
        except CannotCompose as error:
            return error.problems

    def _part_status(self, entry: Entry) -> dict[str, Any]:
        assert entry.app is not None
        users = [{"kind": user.kind, "name": user.name} for user in self._objects.users(entry.key)]
        return part_status(entry.app, users, entry.status, time.time())

    def _app_status(
        self, entry: Entry, wanted: Wanted | None, problems: Sequence[Problem], memory: Memory
    ) -> dict[str, Any]:
        now = time.time()
        if entry.app is None:
            return unreadable_status(entry.generation, problems, entry.status, now)
        pods = self._pods.of(entry.key, entry.uid)
        recorded = {told["newUID"] for told in entry.status.get("recentReplacements") or ()}
        replaced = memory.replacements.look(pods, entry.app.spec.replicas, memory.deleted, now, recorded)
        composition = memory.composed if isinstance(memory.composed, Composition) else None
        asked = question(composition, composition.revision, pods) if composition else None
        helpers = inquiry(composition, composition.revision, pods) if composition else None
        observed = Observed(
            pods,
            tuple(problems),
            memory.failure,
            now,
            replaced,
            composition,
            asked,
            self._contracts.answers(entry.key, asked),
            helpers,
            self._configurations.answers(entry.key, helpers),
        )
        return app_status(entry.app, wanted, observed, entry.status)

    async def _write_status(self, entry: Entry, status: Mapping[str, Any]) -> None:
        """Write what changed, if anything.

        The test of the UID keeps it from a successor under the same name; a UID in the metadata of a merge
        patch would not, as the server takes no notice of metadata where a status is written.
        """
        if status == entry.status:
            return
        try:
            answer = await self._api.json_patch(
                f"{entry.key.path}/status",
                [
                    {"op": "test", "path": "/metadata/uid", "value": entry.uid},
                    {"op": "add", "path": "/status", "value": status},
                ],
            )
        except ApiError as error:
            if error.code not in (HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY):
                raise
            if await self._ownership.still_there(entry):
                raise
            # The object is gone or was made anew, and no event told yet, or ever will.
            self._changed(self._objects.remove(entry.key, entry.uid))
            return
        news, meta = self._objects.put(answer), answer["metadata"]
        if meta["generation"] != entry.generation or "deletionTimestamp" in meta:
            # Somebody was quicker than the watch, which has nothing new to tell of it any more.
            self._changed(news)

    def _tell(self, entry: Entry, outcome: Outcome, changes: Mapping[str, Change]) -> None:
        """Events for people."""
        key, uid = entry.key, entry.uid
        if outcome.created:
            self._recorder.normal(
                key, uid, "SuccessfulCreate", "Create", f"Created {enumerate_names(outcome.created)}"
            )
        for why in sorted({_why(d, changes) for d in outcome.deleted}):
            names = enumerate_names([d.name for d in outcome.deleted if _why(d, changes) == why])
            self._recorder.normal(key, uid, "SuccessfulDelete", "Delete", f"Deleted {names} ({why})")
        for revision in sorted({u.revision for u in outcome.updated}):
            names = enumerate_names([u.name for u in outcome.updated if u.revision == revision])
            note = f"Updated {names} in place ({changes[revision]})"
            self._recorder.normal(key, uid, "SuccessfulUpdate", "Update", note)
        if outcome.failure:
            self._recorder.warning(
                key, uid, "FailedWrite", "Write", f"{outcome.failure.reason}: {outcome.failure.message}"
            )
        elif outcome.created or outcome.updated:
            self._recorder.well(key)


def _why(delete: Delete, changes: Mapping[str, Change]) -> str:
    """The reason; of an outdated Pod also what of the change it could not take."""
    change = changes.get(delete.revision)
    return f"{delete.reason}: {change}" if delete.reason == "Outdated" and change else delete.reason


def _changes(
    revisions: Sequence[Revision], composition: Composition, pods: Sequence[Pod]
) -> dict[str, Change]:
    """What brings the Pods that are there to the newest revision, for each older one."""
    older = {p.revision for p in pods if p.live} - {composition.revision}
    return {r.hash: change(r.template, composition.template) for r in revisions if r.hash in older}


def _route(
    app: Pattern, composition: Composition, revisions: Sequence[Revision], changes: Mapping[str, Change]
) -> Route:
    """To the newest revision; a Pod that is still wanted in an older one is made from that one's template."""
    templates = {r.hash: r.template for r in revisions}

    def manifest(create: Create) -> dict[str, Any]:
        template = dict(templates.get(create.revision, composition.template))
        of = replace(composition, template=template, revision=create.revision)
        return pod_manifest(app, of, create.name, create.index)

    return Route(composition.revision, manifest, changes, composition.configuration)


def _held(app: Pattern, status: Mapping[str, Any], revisions: Sequence[Revision], newest: str) -> str:
    """The revision from before the update under way, if it is known how its Pods are made."""
    current = status.get("currentRevision")
    return next((r.hash for r in revisions if revision_name(app, r.hash) == current != newest), "")


def _sooner(one: float | None, other: float | None) -> float | None:
    return min((seconds for seconds in (one, other) if seconds is not None), default=None)
