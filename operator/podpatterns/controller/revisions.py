"""The revisions of an object where they matter: what came before, what changed, what to fall back on."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from podpatterns.api import Pattern
from podpatterns.compose import Composition
from podpatterns.controller.apiserver import ApiError
from podpatterns.controller.history import History, needed
from podpatterns.controller.key import Key
from podpatterns.controller.lrucache import LruCache
from podpatterns.controller.memory import Memory
from podpatterns.controller.objectstore import Entry
from podpatterns.controller.threads import LONG_BYTES, off_the_loop
from podpatterns.replicas import Pod
from podpatterns.replicas.change import Change, change
from podpatterns.replicas.failure import Failure, refused
from podpatterns.replicas.history import Revision
from podpatterns.replicas.status import revision_name

KEPT_BYTES = 16_000_000
"""Of packed revisions, of all objects that are not worked on: two each of 5,000 usual ones."""

log = logging.getLogger(__name__)


class CannotWrite(Exception):
    """What has to be written before Pods of the newest revision can be made was refused."""

    def __init__(self, failure: Failure, after: float) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.after = after
        """Seconds until it may be tried again."""


class Revisions:
    """Those of an object in work stand in its Memory, and stay there afterwards while there is room."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._idle: LruCache[Key, Memory] = LruCache(KEPT_BYTES)

    def take(self, key: Key) -> None:
        """Let the object keep its revisions: it is worked on, or gone."""
        self._idle.drop(key)

    def put_back(self, key: Key, memory: Memory) -> None:
        """Count the revisions of an object that was worked on; others' go for them and are listed again."""
        if memory.revisions:
            size = sum(len(revision.data.text) for revision in memory.revisions)
            for other in self._idle.put(key, memory, size):
                other.revisions, other.changes = None, ("", {})

    async def of(
        self, entry: Entry, app: Pattern, composition: Composition, pods: Sequence[Pod], memory: Memory
    ) -> Sequence[Revision]:
        """Return the history where it matters: an update is under way, or unknown Pods are there.

        Raises CannotWrite where the newest revision can't be kept.
        """
        _forget_what_is_kept(entry, memory)
        if not needed(app, composition, entry.status, pods):
            memory.revisions, memory.begun, memory.first_revision = None, None, ""
            memory.history.clear()
        elif memory.begins_with(composition, entry.status, pods):
            memory.begun = memory.begun or (app, composition)
        elif not memory.revisions or memory.revisions[-1].hash != composition.revision:
            if wait := memory.history.left(entry.generation, time.monotonic()):
                assert memory.history.failure
                raise CannotWrite(memory.history.failure, wait)
            try:
                await self._begin_if_possible(memory)
                memory.revisions = await self._history.update(app, composition)
                memory.begun = None
            except ApiError as error:
                failure = unwritten(error, "ControllerRevision")
                retry = memory.history.note(failure, entry.generation, time.monotonic())
                raise CannotWrite(failure, retry) from None
            memory.history.clear()
        return memory.revisions or ()

    async def changes(
        self, revisions: Sequence[Revision], composition: Composition, pods: Sequence[Pod], memory: Memory
    ) -> dict[str, Change]:
        """Return what brings the Pods that are there to the newest revision, for each older one."""
        newest, known = memory.changes
        older = {p.revision for p in pods if p.live} - {composition.revision}
        known = {h: c for h, c in known.items() if h in older} if newest == composition.revision else {}
        for revision in revisions:
            if revision.hash in older and revision.hash not in known:
                known[revision.hash] = await off_the_loop(
                    revision.data.size, LONG_BYTES, _change, revision, composition
                )
        memory.changes = composition.revision, known
        return known

    async def last_good(self, entry: Entry, app: Pattern, memory: Memory) -> Composition | None:
        """Return the newest revision that could be composed, and written if that is not refused.

        Its helpers' configuration is left out: that stays as it is in the cluster.
        """
        _forget_what_is_kept(entry, memory)
        if memory.begun and not memory.history.left(entry.generation, time.monotonic()):
            try:
                await self._begin(memory)
                memory.history.clear()
            except ApiError as error:
                failure = unwritten(error, "ControllerRevision")
                memory.history.note(failure, entry.generation, time.monotonic())
        if memory.begun:
            _, first = memory.begun
            return Composition(template=first.template, revision=first.revision)
        if memory.revisions is None:
            memory.revisions = await self._history.list(app)
        by_name = {revision_name(app, r.hash): r for r in memory.revisions}
        names = [entry.status.get(field) for field in ("updateRevision", "currentRevision")]
        named = (by_name[name] for name in names if name in by_name)
        good = next(named, memory.revisions[-1] if memory.revisions else None)
        return Composition(template=dict(good.template), revision=good.hash) if good else None

    async def _begin_if_possible(self, memory: Memory) -> None:
        """A first revision that can't be kept, such as a too large one, holds up no correction."""
        try:
            await self._begin(memory)
        except ApiError as error:
            failure = unwritten(error, "ControllerRevision")
            log.warning("First ControllerRevision not written", extra={"error": failure.message})

    async def _begin(self, memory: Memory) -> None:
        """Keep the revision that the first Pods were made from, before there is another."""
        if memory.begun:
            app, composition = memory.begun
            await self._history.begin(app, composition)
            memory.begun, memory.first_revision = None, revision_name(app, composition.revision)

    async def conclude(
        self, entry: Entry, app: Pattern, pods: Sequence[Pod], memory: Memory, status: dict[str, object]
    ) -> Failure | None:
        """Write what a status that is about to be written relies on, and delete what nobody needs any more.

        Returns why that was refused.
        """
        try:
            if memory.begun:
                await self._history.begin(*memory.begun)
            elif memory.revisions:
                memory.revisions = await self._history.prune(app, memory.revisions, status, pods)
        except ApiError as error:
            failure = unwritten(error, "ControllerRevision")
            memory.history.note(failure, entry.generation, time.monotonic())
            return failure
        memory.history.clear()
        return None


def _forget_what_is_kept(entry: Entry, memory: Memory) -> None:
    """A status names a revision only when it is kept."""
    if memory.begun:
        app, first = memory.begun
        if entry.status.get("updateRevision") == revision_name(app, first.revision):
            memory.begun = None


def held_revision(entry: Entry, app: Pattern, memory: Memory, newest: str) -> str:
    """Return the revision from before the update under way, if it is known how its Pods are made."""
    current = entry.status.get("currentRevision") or memory.first_revision
    known = (r.hash for r in memory.revisions or () if revision_name(app, r.hash) == current)
    return next((found for found in known if found != newest), "")


def kept(memory: Memory, revision: str) -> bool:
    """The history has the revision."""
    return any(r.hash == revision for r in memory.revisions or ())


def unwritten(error: ApiError, thing: str) -> Failure:
    """Return why something that goes with Pods could not be written.

    An error that says nothing about it goes on its way.
    """
    if error.passing:
        raise error
    return refused(error.reason, f"{thing}: {error.message}")


def _change(revision: Revision, composition: Composition) -> Change:
    return change(revision.template, composition.template)
