"""The resync of our own kinds: whole lists at the start, from time to time and when kopf listed again.

kopf gives no DELETED event for an object deleted while its watch was broken, doesn't say when its first
list is complete, and doesn't see a kind that is installed after it has begun.
"""

from __future__ import annotations

import asyncio
import logging
import math
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any, NamedTuple

from podpatterns.api import API_VERSION, GROUP, KINDS, Kind
from podpatterns.controller.apiserver import ApiError, ApiServer, UnansweredError
from podpatterns.controller.health import Health
from podpatterns.controller.key import Key
from podpatterns.controller.objectstore import ObjectStore
from podpatterns.controller.skipped import Skipped, name_of, uid_of

INTERVAL = 300.0
RETRY = 2.0
"""Seconds, after a failure and while a kind is missing."""
TURN = 16
"""Objects stored before others get their turn in the event loop: reading one costs up to a millisecond."""

log = logging.getLogger(__name__)


class Source(NamedTuple):
    """One list: a kind, in one namespace or in all."""

    kind: Kind
    namespace: str
    """Empty for all."""


class Resync:
    def __init__(
        self,
        api: ApiServer,
        store: ObjectStore,
        changed: Callable[[Iterable[Key]], None],
        health: Health,
        namespaces: Sequence[str] = (),
    ) -> None:
        """`namespaces` are those to watch, all if there are none."""
        self._sources = tuple(Source(kind, namespace) for kind in KINDS for namespace in namespaces or ("",))
        self._all = frozenset(self._sources)
        self._namespaces = tuple(namespaces)
        self._api = api
        self._store = store
        self._changed = changed
        self._health = health
        self._skipped = {kind.kind: Skipped(kind.plural) for kind in KINDS}
        self._listed_by_kopf: dict[str, Key] = {}
        """Objects in the cache that kopf has listed, by UID."""
        self._missing: frozenset[Source] = frozenset()
        """Those whose kind is not installed, and the forbidden ones."""
        self._forbidden: set[Source] = set()
        """Those of a namespace in which the operator has not its rights."""
        self._wanted = asyncio.Event()
        self._list_began = -math.inf
        self.synced = asyncio.Event()
        """Set once the first lists of all that isn't missing are in, and discovery shows the kinds."""
        self.installed = asyncio.Event()
        """Set when something has come that was missing when kopf began."""

    @property
    def age(self) -> float:
        """Seconds since the last whole list of all kinds began; infinite before the first."""
        return time.monotonic() - self._list_began

    @property
    def permitted(self) -> list[str]:
        """The namespaces that the operator watches and may list; none stands for all."""
        listed = {source.namespace for source in self._all - self._missing}
        return [name for name in self._namespaces if name in listed] or list(self._namespaces)

    def see(self, event_type: str | None, obj: Mapping[str, Any]) -> None:
        """Take an event from kopf; a type of None means that the object was listed."""
        kind, uid = obj.get("kind"), uid_of(obj)
        if not isinstance(kind, str) or kind not in self._skipped:
            return
        if event_type == "DELETED":
            self._listed_by_kopf.pop(uid, None)
            if key := _key_of(kind, obj):
                self._changed(self._store.remove(key, uid))
            return
        if event_type is None and (key := _key_of(kind, obj)):
            if uid in self._listed_by_kopf:
                self._wanted.set()  # listed a second time: the watch was broken in between
            self._listed_by_kopf[uid] = key
        self._put(kind, obj)

    async def run(self) -> None:
        due = -math.inf
        while True:
            self._beat()
            whole = self._wanted.is_set() or time.monotonic() >= due
            self._wanted.clear()
            try:
                await self._list_sources(self._all if whole else self._missing)
            except (ApiError, UnansweredError) as error:
                log.warning("List of custom resources failed", extra={"error": str(error)})
                due = -math.inf
                await asyncio.sleep(RETRY)
                continue
            if whole:
                due = time.monotonic() + INTERVAL
            try:
                async with asyncio.timeout(RETRY if self._missing else due - time.monotonic()):
                    await self._wanted.wait()
            except TimeoutError:
                pass

    async def before_discovery(self) -> None:
        """Return when kopf may discover our kinds, which it does once, and again after `installed`."""
        await self.synced.wait()
        self.installed.clear()
        while True:
            try:
                served = await self._served()
                break
            except (ApiError, UnansweredError) as error:
                log.warning("Discovery failed", extra={"error": str(error)})
                await asyncio.sleep(RETRY)
        if hidden := {source for source in self._all if source.kind not in served}:
            self._set_missing(self._missing | hidden)
            self._wanted.set()

    async def relist_if_older(self, than: float) -> None:
        """Return once whole lists that began at `than` or later, in monotonic seconds, are in the cache."""
        while self._list_began < than:
            try:
                await self._list_sources(self._all)
            except (ApiError, UnansweredError) as error:
                log.warning("List of custom resources failed", extra={"error": str(error)})
                await asyncio.sleep(RETRY)
        if self._missing:
            self._wanted.set()

    async def _list_sources(self, sources: Set[Source]) -> None:
        began = time.monotonic()
        listed = {source for source in self._sources if source in sources and await self._list(source)}
        shown = listed
        if listed & self._missing or not self.synced.is_set():
            # An API server that has only just started may serve a kind before its discovery shows it.
            served = await self._served()
            shown = {source for source in listed if source.kind in served}
        came = shown & self._missing
        self._set_missing((self._missing | sources) - shown)
        if sources == self._all:
            self._list_began = max(began, self._list_began)
        if came:
            self.installed.set()
        if shown == listed and self._missing != self._all:
            self.synced.set()

    async def _list(self, source: Source) -> bool:
        """Store the whole list; return False if the kind is not installed, or the namespace forbidden."""
        kind, namespace = source
        self._forbidden.discard(source)
        listed: dict[Key, str] = {}
        version = sys.maxsize
        scope = f"/namespaces/{namespace}" if namespace else ""
        try:
            async for page in self._api.list_pages(f"/apis/{API_VERSION}{scope}/{kind.plural}"):
                self._beat()
                for number, obj in enumerate(page.items):
                    # Items of a list of custom resources carry their kind, as kopf's events do.
                    if key := _key_of(kind.kind, obj):
                        listed[key] = uid_of(obj)
                    self._put(kind.kind, obj)
                    if number % TURN == TURN - 1:
                        await asyncio.sleep(0)
                version = page.resource_version
        except ApiError as error:
            if error.forbidden and namespace:
                self._forbidden.add(source)
                return False
            if not error.not_found:
                raise
            # The kind's objects went with it, whatever was listed before.
            self._sweep(kind, namespace, {}, sys.maxsize)
            return False
        self._sweep(kind, namespace, listed, version)
        return True

    def _sweep(self, kind: Kind, namespace: str, listed: Mapping[Key, str], version: int) -> None:
        self._changed(self._store.sweep(kind.kind, listed, version, namespace))
        self._listed_by_kopf = {
            uid: key
            for uid, key in self._listed_by_kopf.items()
            if (entry := self._store.get(key)) and entry.uid == uid
        }

    async def _served(self) -> frozenset[Kind]:
        """Return the kinds that the API server's discovery shows."""
        try:
            groups = [group["name"] for group in (await self._api.get("/apis"))["groups"]]
            if GROUP not in groups:
                return frozenset()
            resources = (await self._api.get(f"/apis/{API_VERSION}"))["resources"]
            names = {resource["name"] for resource in resources}
        except ApiError as error:
            if not error.not_found:
                raise
            return frozenset()
        except (LookupError, TypeError) as error:
            raise UnansweredError(f"GET /apis: no discovery: {error!r}") from error
        return frozenset(kind for kind in KINDS if kind.plural in names)

    def _set_missing(self, missing: Set[Source]) -> None:
        if missing == self._missing:
            return
        absent = {source.kind for source in missing - self._forbidden}
        kinds = [kind.kind for kind in KINDS if kind in absent]
        namespaces = sorted({source.namespace for source in self._forbidden})
        if kinds:
            log.warning("CustomResourceDefinitions missing: apply crds/", extra={"kinds": kinds})
        if namespaces:
            log.warning("Namespaces forbidden: grant the operator its Role", extra={"namespaces": namespaces})
        if not missing:
            log.info("All CustomResourceDefinitions installed")
        for part, names in (
            ("CustomResourceDefinitions missing", kinds),
            ("Namespaces forbidden", namespaces),
        ):
            self._health.note(part, f"{part}: {', '.join(names)}" if names else "")
        self._missing = frozenset(missing)

    def _put(self, kind: str, obj: Any) -> None:
        self._changed(self._skipped[kind].guard(lambda: self._store.put(obj), obj))

    def _beat(self) -> None:
        self._health.beat("resync", within=2 * (INTERVAL + self._api.timeouts.request))


def _key_of(kind: str, obj: Any) -> Key | None:
    """Return the key, None for what is no object."""
    namespace, _, name = name_of(obj).partition("/")
    return Key(kind, namespace, name) if namespace and name else None
