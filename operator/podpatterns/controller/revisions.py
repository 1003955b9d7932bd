"""The revisions of an object where they matter: the held one, the changes since, the last good one."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from podpatterns.api import Pattern
from podpatterns.compose import Composition
from podpatterns.controller.apiserver import ApiError
from podpatterns.controller.controllerrevisions import History, needed
from podpatterns.controller.key import Key
from podpatterns.controller.lrucache import LruCache
from podpatterns.controller.objectstate import ObjectState
from podpatterns.controller.objectstore import Entry
from podpatterns.controller.threads import LONG_BYTES, off_the_loop
from podpatterns.replicas import Pod
from podpatterns.replicas.change import Change, change
from podpatterns.replicas.failure import Failure, refused
from podpatterns.replicas.history import Revision
from podpatterns.replicas.inplace import permitted
from podpatterns.replicas.status import revision_name
from podpatterns.replicas.work import recorded_revision

KEPT_BYTES = 16_000_000
"""Bytes of packed revisions of all idle objects: two each of 5,000 usual ones."""

log = logging.getLogger(__name__)


class CannotWrite(Exception):
    """A ConfigMap or ControllerRevision that the newest revision needs was refused."""

    def __init__(self, failure: Failure, after: float) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.after = after
        """Seconds until the next try."""


class Revisions:
    """Revisions are kept in the object's ObjectState, after its reconcile as long as there is room."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._idle: LruCache[Key, ObjectState] = LruCache(KEPT_BYTES)

    def take(self, key: Key) -> None:
        """Take the object out of the cache: it is reconciled now, or gone."""
        self._idle.drop(key)

    def put_back(self, key: Key, state: ObjectState) -> None:
        """Put a reconciled object back; others' revisions may go for it, and are listed again when needed."""
        if state.revisions:
            size = sum(len(revision.data.text) for revision in state.revisions)
            for other in self._idle.put(key, state, size):
                other.revisions, other.changes = None, ("", {})

    async def of(
        self, entry: Entry, app: Pattern, composition: Composition, pods: Sequence[Pod], state: ObjectState
    ) -> Sequence[Revision]:
        """Return the history if it matters: an update is under way, or Pods of unknown revisions exist.

        Raises CannotWrite if the newest revision can't be kept.
        """
        _forget_what_is_kept(entry, state)
        if not needed(app, composition, entry.status, pods):
            state.revisions, state.begun, state.first_revision = None, None, ""
            state.history.clear()
        elif state.begins_with(composition, entry.status, pods):
            # A list of before, when there was nothing to be made, has not the revision that begins now.
            state.begun, state.revisions = state.begun or (app, composition), None
        elif not state.revisions or state.revisions[-1].hash != composition.revision:
            if wait := state.history.left(entry.generation, time.monotonic()):
                assert state.history.failure
                raise CannotWrite(state.history.failure, wait)
            try:
                await self._begin_if_possible(state)
                state.revisions = await self._history.update(app, composition)
                state.begun = None
            except ApiError as error:
                failure = unwritten(error, "ControllerRevision")
                retry = state.history.note(failure, entry.generation, time.monotonic())
                raise CannotWrite(failure, retry) from None
            state.history.clear()
        return state.revisions or ()

    async def changes(
        self,
        revisions: Sequence[Revision],
        entry: Entry,
        app: Pattern,
        composition: Composition,
        pods: Sequence[Pod],
        state: ObjectState,
    ) -> dict[str, Change]:
        """Return the change from each older revision that Pods or recorded work have to the newest one, as
        far as the update strategy permits it in place."""
        newest, known = state.changes
        older = {p.revision for p in pods if not p.terminating} | {recorded_revision(entry.status)}
        older -= {composition.revision}
        known = {h: c for h, c in known.items() if h in older} if newest == composition.revision else {}
        for revision in revisions:
            if revision.hash in older and revision.hash not in known:
                known[revision.hash] = await off_the_loop(
                    revision.data.size, LONG_BYTES, _change, revision, composition
                )
        state.changes = composition.revision, known
        in_place = app.spec.update_strategy.in_place
        return {r: permitted(change, in_place, composition.application) for r, change in known.items()}

    async def last_good(self, entry: Entry, app: Pattern, state: ObjectState) -> Composition | None:
        """Return the newest revision that could be composed, and written if that is not refused.

        Its helpers' configuration is left out: that stays as it is in the cluster.
        """
        _forget_what_is_kept(entry, state)
        if state.begun and not state.history.left(entry.generation, time.monotonic()):
            try:
                await self._begin(state)
                state.history.clear()
            except ApiError as error:
                failure = unwritten(error, "ControllerRevision")
                state.history.note(failure, entry.generation, time.monotonic())
        if state.begun:
            _, first = state.begun
            return Composition(template=first.template, revision=first.revision)
        if state.revisions is None:
            state.revisions = await self._history.list(app)
        by_name = {revision_name(app, r.hash): r for r in state.revisions}
        names = [entry.status.get(field) for field in ("updateRevision", "currentRevision")]
        named = (by_name[name] for name in names if name in by_name)
        good = next(named, state.revisions[-1] if state.revisions else None)
        return Composition(template=dict(good.template), revision=good.hash) if good else None

    async def _begin_if_possible(self, state: ObjectState) -> None:
        """Keep the first revision. One that can't be kept, such as a large one, holds up no correction."""
        try:
            await self._begin(state)
        except ApiError as error:
            failure = unwritten(error, "ControllerRevision")
            log.warning("First ControllerRevision not written", extra={"error": failure.message})

    async def _begin(self, state: ObjectState) -> None:
        """Keep the revision that the first Pods were made from, before there is another."""
        if state.begun:
            app, composition = state.begun
            await self._history.begin(app, composition)
            state.begun, state.first_revision = None, revision_name(app, composition.revision)

    async def conclude(
        self, entry: Entry, app: Pattern, pods: Sequence[Pod], state: ObjectState, status: dict[str, object]
    ) -> Failure | None:
        """Write the history that a status relies on before it is written, and prune it.

        Returns the reason of a refusal.
        """
        try:
            if state.begun:
                await self._history.begin(*state.begun)
            elif state.revisions:
                state.revisions = await self._history.prune(app, state.revisions, status, pods)
        except ApiError as error:
            failure = unwritten(error, "ControllerRevision")
            state.history.note(failure, entry.generation, time.monotonic())
            return failure
        state.history.clear()
        return None


def _forget_what_is_kept(entry: Entry, state: ObjectState) -> None:
    """Note that the first revision is kept: a status names it only then."""
    if state.begun:
        app, first = state.begun
        if entry.status.get("updateRevision") == revision_name(app, first.revision):
            state.begun = None


def held_revision(entry: Entry, app: Pattern, state: ObjectState, newest: str) -> str:
    """Return the revision from before the update under way, if it is known how its Pods are made."""
    current = entry.status.get("currentRevision") or state.first_revision
    known = (r.hash for r in state.revisions or () if revision_name(app, r.hash) == current)
    return next((found for found in known if found != newest), "")


def kept(state: ObjectState, revision: str) -> bool:
    """Return whether the history has the revision."""
    return any(r.hash == revision for r in state.revisions or ())


def unwritten(error: ApiError, thing: str) -> Failure:
    """Return the failure of a refused write of `what`; raise an error that is not about it."""
    if error.passing:
        raise error
    return refused(error.reason, f"{thing}: {error.message}")


def _change(revision: Revision, composition: Composition) -> Change:
    return change(revision.template, composition.template, composition.default_resources)
