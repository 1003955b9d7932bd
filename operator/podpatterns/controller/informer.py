"""The informer of Pods and ConfigMaps with our labels: LIST in pages, then WATCH with bookmarks, for ever.

kopf's own watching is left aside for Pods: it keeps whole objects, gives no DELETED for what was deleted
across a relist, and at 10,000 Pods costs a hundred times the latency (docs/adr/0002).
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import aclosing
from typing import Any, Protocol

from podpatterns.compose.labels import KIND
from podpatterns.controller.apiserver import ApiError, ApiServer, UnansweredError
from podpatterns.controller.health import Health
from podpatterns.controller.key import Key
from podpatterns.controller.metrics import MALFORMED_WATCH_EVENTS, WATCH_RESTARTS
from podpatterns.controller.skipped import Skipped, uid_of
from podpatterns.controller.watchstream import MalformedEventError

WATCH_SECONDS = (300, 600)
"""A watch ends after a random while in between, so that restarts of many clients spread out."""
RETRY = (0.1, 5.0)
"""The first and the longest pause in seconds after a failure."""
SHORT_SECONDS = 1.0
"""A watch that ended without an error before that, and without an event, counts as refused."""

log = logging.getLogger(__name__)


class Store(Protocol):
    """A cache, whose methods return the keys of the objects concerned."""

    def put(self, obj: Mapping[str, Any], /) -> set[Key]: ...
    def remove(self, uid: str, version: int, /) -> set[Key]: ...
    def sweep(self, listed: Iterable[str], version: int, namespace: str, /) -> set[Key]: ...


class Informer:
    """Keeps `store` equal to what carries our label of a resource, in one namespace or in all, and passes on
    the keys that changed."""

    def __init__(
        self,
        api: ApiServer,
        resource: str,
        store: Store,
        changed: Callable[[Iterable[Key]], None],
        health: Health,
        namespace: str = "",
    ) -> None:
        self._api = api
        self._path = f"/api/v1/namespaces/{namespace}/{resource}" if namespace else f"/api/v1/{resource}"
        self.resource = resource
        self.namespace = namespace
        self._store = store
        self._changed = changed
        self._health = health
        self._skipped = Skipped(self.resource)
        self._closed, self._failed = (WATCH_RESTARTS.labels(self.resource, r) for r in ("Closed", "Failed"))
        self._malformed = MALFORMED_WATCH_EVENTS.labels(self.resource)
        self._version: int | None = None
        self._watching_since = math.inf
        self._events = 0
        """Events of the present watch."""
        self._list_began = -math.inf
        self._heard = time.monotonic()
        self.attempted = asyncio.Event()
        """Set once the first list is in, or was forbidden, which concerns this namespace alone."""

    @property
    def age(self) -> float:
        """Seconds since the last event, bookmark or page of a list."""
        return time.monotonic() - self._heard

    async def run(self) -> None:
        pause = RETRY[0]
        while True:
            self._beat()
            trouble = await self._follow()
            (self._failed if trouble else self._closed).inc()
            lasted = time.monotonic() - self._watching_since
            if trouble is None and (self._events or lasted >= SHORT_SECONDS):
                pause = RETRY[0]
                continue
            # What held for longer than the pause before it was not refused: this is another trouble.
            healthy = self._events and not isinstance(trouble, MalformedEventError)
            if healthy or lasted > pause:
                pause = RETRY[0]
            if not self._forbids(trouble):
                log.warning(
                    "Watch failed",
                    extra={"path": self._path, "error": str(trouble or "ended at once"), "pause": pause},
                )
            await asyncio.sleep(pause)
            pause = min(RETRY[1], 2 * pause)

    def listed_since(self, moment: float) -> bool:
        """Return whether a whole list is in the store that began then or later, in monotonic seconds."""
        return self._list_began >= moment

    async def relist_if_older(self, than: float) -> None:
        """Return once a whole list that began at `than` or later, in monotonic seconds, is in the store."""
        pause = RETRY[0]
        while not self.listed_since(than):
            try:
                await self._list()
            except (ApiError, UnansweredError) as error:
                if not self._forbids(error):
                    log.warning("List failed", extra={"path": self._path, "error": str(error)})
                await asyncio.sleep(pause)
                pause = min(RETRY[1], 2 * pause)

    async def _follow(self) -> Exception | None:
        """List if needed, then watch; return the error that ended the watch, or None."""
        self._watching_since, self._events = math.inf, 0
        try:
            if self._version is None:
                self._version = await self._list()
            await self._watch(self._version)
        except MalformedEventError as error:
            self._malformed.inc()
            self._version = None
            return error
        except (ApiError, UnansweredError) as error:
            if isinstance(error, ApiError) and error.gone:
                self._version = None
            if self._forbids(error):
                self.attempted.set()
            return error
        return None

    def _forbids(self, error: Exception | None) -> bool:
        """Return whether the namespace is closed to us, which the resync tells once."""
        return bool(self.namespace and isinstance(error, ApiError) and error.forbidden)

    async def _list(self) -> int:
        """Store the whole list; return its resourceVersion."""
        began = time.monotonic()
        uids: list[str] = []
        version = 0
        async for page in self._api.list_pages(self._path, labelSelector=KIND):
            self._beat()
            self._heard = time.monotonic()
            for obj in page.items:
                uids.append(uid_of(obj))
                self._put(obj)
            version = page.resource_version
        self._changed(self._store.sweep(uids, version, self.namespace))
        self._list_began = max(began, self._list_began)
        self.attempted.set()
        return version

    async def _watch(self, since: int) -> None:
        seconds = random.randint(*WATCH_SECONDS)  # noqa: S311 (spreads load, guards nothing)
        self._watching_since = time.monotonic()
        watch = self._api.watch(self._path, since, labelSelector=KIND, timeoutSeconds=str(seconds))
        async with aclosing(watch) as events:
            async for event in events:
                self._beat()
                self._heard = time.monotonic()
                self._events += 1
                obj = event["object"]
                version = int(obj["metadata"]["resourceVersion"])
                if event["type"] in ("ADDED", "MODIFIED"):
                    self._put(obj)
                elif event["type"] == "DELETED":
                    self._remove(obj, version)
                self._version = version

    def _put(self, obj: Any) -> None:
        self._changed(self._skipped.guard(lambda: self._store.put(obj), obj))

    def _remove(self, obj: Any, version: int) -> None:
        self._changed(self._skipped.guard(lambda: self._store.remove(obj["metadata"]["uid"], version), obj))

    def _beat(self) -> None:
        timeouts = self._api.timeouts
        self._health.beat(
            f"watch of {self._path}", within=2 * (timeouts.silence + timeouts.request + RETRY[1])
        )
