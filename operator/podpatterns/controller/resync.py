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
from collections.abc import Callable, Iterable, Mapping, Set
from typing import Any

from podpatterns.api import API_VERSION, GROUP, KINDS, Kind
from podpatterns.controller.apiserver import ApiError, ApiServer, UnansweredError
from podpatterns.controller.health import Health
from podpatterns.controller.key import Key
from podpatterns.controller.objectstore import ObjectStore
from podpatterns.controller.skipped import Skipped, name_of, uid_of

INTERVAL = 300.0
RETRY = 2.0
"""Seconds, after a failure and while a kind is missing."""
ALL = frozenset(KINDS)
TURN = 16
"""Objects stored before others get their turn in the event loop: reading one costs up to a millisecond."""

log = logging.getLogger(__name__)


class Resync:
    def __init__(
        self, api: ApiServer, store: ObjectStore, changed: Callable[[Iterable[Key]], None], health: Health
    ) -> None:
        self._api = api
        self._store = store
        self._changed = changed
        self._health = health
        self._skipped = {kind.kind: Skipped(kind.plural) for kind in KINDS}
        self._listed_by_kopf: dict[str, Key] = {}
        """Objects in the cache that kopf has listed, by UID."""
        self._missing: frozenset[Kind] = frozenset()
        self._wanted = asyncio.Event()
        self._list_began = -math.inf
        self.synced = asyncio.Event()
        """Set once the first lists of all installed kinds are in, and discovery shows these kinds."""
        self.installed = asyncio.Event()
        """Set when a kind has come that was missing at kopf's discovery."""

    @property
    def age(self) -> float:
        """Seconds since the last whole list of all kinds began; infinite before the first."""
        return time.monotonic() - self._list_began

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
                await self._list_kinds(ALL if whole else self._missing)
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
        if hidden := ALL - served:
            self._set_missing(self._missing | hidden)
            self._wanted.set()

    async def relist_if_older(self, than: float) -> None:
        """Return once whole lists that began at `than` or later, in monotonic seconds, are in the cache."""
        while self._list_began < than:
            try:
                await self._list_kinds(ALL)
            except (ApiError, UnansweredError) as error:
                log.warning("List of custom resources failed", extra={"error": str(error)})
                await asyncio.sleep(RETRY)

    async def _list_kinds(self, kinds: Set[Kind]) -> None:
        began = time.monotonic()
        listed = {kind for kind in KINDS if kind in kinds and await self._list(kind)}
        shown = listed
        if listed & self._missing or not self.synced.is_set():
            # An API server that has only just started may serve a kind before its discovery shows it.
            shown = listed & await self._served()
        came = shown & self._missing
        self._set_missing((self._missing | kinds) - shown)
        if kinds == ALL:
            self._list_began = max(began, self._list_began)
        if came:
            self.installed.set()
        if shown == listed and self._missing != ALL:
            self.synced.set()

    async def _list(self, kind: Kind) -> bool:
        """Store the whole list of a kind; return whether the kind is installed."""
        listed: dict[Key, str] = {}
        version = sys.maxsize
        try:
            async for page in self._api.list_pages(f"/apis/{API_VERSION}/{kind.plural}"):
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
            if not error.not_found:
                raise
            # The kind's objects went with it, whatever was listed before.
            self._sweep(kind, {}, sys.maxsize)
            return False
        self._sweep(kind, listed, version)
        return True

    def _sweep(self, kind: Kind, listed: Mapping[Key, str], version: int) -> None:
        self._changed(self._store.sweep(kind.kind, listed, version))
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

    def _set_missing(self, missing: Set[Kind]) -> None:
        if missing == self._missing:
            return
        names = [kind.kind for kind in KINDS if kind in missing]
        if names:
            log.warning(
                "CustomResourceDefinitions missing: apply crds/",
                extra={"kinds": names},
            )
        else:
            log.info("All CustomResourceDefinitions installed")
        self._health.note("kinds", f"CustomResourceDefinitions missing: {', '.join(names)}" if names else "")
        self._missing = frozenset(missing)

    def _put(self, kind: str, obj: Any) -> None:
        self._changed(self._skipped[kind].guard(lambda: self._store.put(obj), obj))

    def _beat(self) -> None:
        self._health.beat("resync", within=2 * (INTERVAL + self._api.timeouts.request))


def _key_of(kind: str, obj: Any) -> Key | None:
    """Return the key, None for what is no object."""
    namespace, _, name = name_of(obj).partition("/")
    return Key(kind, namespace, name) if namespace and name else None
