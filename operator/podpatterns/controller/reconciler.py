"""One look at one object: read the stores, plan, carry out, write the status.

The contract: `reconcile(key)` may be called at any time, any number of times, for any key, and never for one
key twice at once. It derives everything from the present state; there is no separate path for creation,
update or deletion. It returns when it has done one round of writes; whatever is left calls for another round.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from podpatterns.api import API_VERSION, SidecarApp
from podpatterns.compose import CannotCompose, Composition, Problem, compose, pod_manifest
from podpatterns.controller.apiserver import ApiError, ApiServer
from podpatterns.controller.executor import Executor, Outcome
from podpatterns.controller.key import BY_NAME, Key
from podpatterns.controller.memory import Memory
from podpatterns.controller.objectstore import Entry, ObjectStore
from podpatterns.controller.ownership import Ownership
from podpatterns.controller.podstore import PodStore
from podpatterns.controller.recorder import Recorder, enumerate_names
from podpatterns.replicas import Wanted, plan, rest_after
from podpatterns.replicas.status import Observed, app_status, part_status, unreadable_status


class Reconciler:
    """`changed` gets the keys for which the answer to a write of ours brought news."""

    def __init__(
        self,
        api: ApiServer,
        objects: ObjectStore,
        pods: PodStore,
        recorder: Recorder,
        changed: Callable[[Iterable[Key]], None],
    ) -> None:
        self._api = api
        self._objects = objects
        self._pods = pods
        self._recorder = recorder
        self._changed = changed
        self._executor = Executor(api, pods)
        self._ownership = Ownership(api, pods)
        self._memory: dict[Key, Memory] = {}

    async def reconcile(self, key: Key) -> float | None:
        """Returns the seconds after which to look again; None when only an event can change anything."""
        entry = self._objects.get(key)
        if entry is None or entry.leaving:
            # Owner references and the cluster's garbage collector delete the Pods.
            if forgotten := self._memory.pop(key, None):
                self._pods.take_vanished(key, forgotten.uid)
            self._recorder.well(key)
            return None
        memory = self._memory.get(key)
        if memory is None or memory.uid != entry.uid:
            memory = self._memory[key] = Memory(entry.uid)
        if entry.is_part:
            await self._write_status(entry, self._part_status(entry))
            return None
        composed = self._compose(entry, memory)
        if isinstance(composed, Composition):
            return await self._keep(entry, composed, memory)
        # No Pod is touched while the object can't work; a correction of it or of a part brings us back.
        text = "; ".join(map(str, composed))
        self._recorder.warning(entry.key, entry.uid, composed[0].reason, "Compose", text)
        await self._write_status(entry, self._app_status(entry, None, composed, memory))
        return None

    async def _keep(self, entry: Entry, composition: Composition, memory: Memory) -> float | None:
        """One round of writes and the status that follows from it."""
        assert isinstance(entry.app, SidecarApp)
        app, key = entry.app, entry.key
        wanted = Wanted.of(app, composition.revision)
        await self._ownership.adopt(entry, app, wanted)
        pods = self._pods.of(key, entry.uid)
        todo = plan(
            wanted, pods, time.time(), memory.fresh_names(wanted.name), rest_after(memory.failed_pods)
        )
        held = memory.held(entry.generation, time.monotonic())
        if held and todo.creates:
            todo = replace(todo, creates=(), wake_after=min(held, todo.wake_after or held))
        outcome = await self._executor.carry_out(
            todo, entry, lambda c: pod_manifest(app, composition, c.name, c.index)
        )
        memory.carried_out(outcome.deleted, pods, self._pods.of(key, entry.uid))
        after = todo.wake_after
        if outcome.failure:
            after = memory.hold(outcome.failure, entry.generation, time.monotonic(), outcome.retry_after)
        elif not held:
            memory.well()
            after = 0 if todo.deletes or todo.creates else after
        self._tell(entry, outcome)
        await self._write_status(entry, self._app_status(entry, wanted, (), memory))
        await self._ownership.release(entry)
        return after

    def _compose(self, entry: Entry, memory: Memory) -> Composition | tuple[Problem, ...]:
        """The composition, made anew only when the object or one of its parts changed."""
        parts = {k: e for k in entry.includes if (e := self._objects.get(k)) is not None and not e.leaving}
        sources = (entry.generation, *((k, e.uid, e.generation) for k, e in sorted(parts.items())))
        if memory.composed is None or memory.composed_from != sources:
            memory.composed, memory.composed_from = self._composed(entry, parts), sources
        return memory.composed

    @staticmethod
    def _composed(entry: Entry, parts: Mapping[Key, Entry]) -> Composition | tuple[Problem, ...]:
        if entry.app is None:
            return entry.problems
        if not isinstance(entry.app, SidecarApp):
            message = "this version of podpatterns makes Pods of SidecarApp only"
            return (Problem("kind", message, "KindNotServed"),)
        try:
            return compose(
                entry.app, {(k.kind, k.name): e.app for k, e in parts.items() if e.app is not None}
            )
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
        replaced = memory.replacements.look(pods, entry.app.spec.replicas, memory.deleted, now)
        observed = Observed(pods, tuple(problems), memory.failure, now, replaced)
        return app_status(entry.app, wanted, observed, entry.status)

    async def _write_status(self, entry: Entry, status: Mapping[str, Any]) -> None:
        """Write what changed, if anything.

        The test of the UID keeps it from a successor under the same name; a UID in the metadata of a merge
        patch would not, as the server takes no notice of metadata where a status is written.
        """
        if status == entry.status:
            return
        plural = BY_NAME[entry.key.kind].plural
        path = f"/apis/{API_VERSION}/namespaces/{entry.key.namespace}/{plural}/{entry.key.name}/status"
        try:
            answer = await self._api.json_patch(
                path,
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

    def _tell(self, entry: Entry, outcome: Outcome) -> None:
        """Events for people."""
        key, uid = entry.key, entry.uid
        if outcome.created:
            self._recorder.normal(
                key, uid, "SuccessfulCreate", "Create", f"Created {enumerate_names(outcome.created)}"
            )
        for reason in sorted({d.reason for d in outcome.deleted}):
            names = enumerate_names([d.name for d in outcome.deleted if d.reason == reason])
            self._recorder.normal(key, uid, "SuccessfulDelete", "Delete", f"Deleted {names} ({reason})")
        if outcome.failure:
            self._recorder.warning(
                key, uid, "FailedWrite", "Write", f"{outcome.failure.reason}: {outcome.failure.message}"
            )
        elif outcome.created:
            self._recorder.well(key)
