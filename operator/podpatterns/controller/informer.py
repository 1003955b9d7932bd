"""The informer of Pods and ConfigMaps that we made: LIST in pages, then WATCH with bookmarks, for ever.

kopf's own watching is left aside for Pods: it keeps whole objects, gives no DELETED for what vanished across
a relist, and at 10,000 Pods costs a hundred times the latency (docs/adr/0002).
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from podpatterns.compose.labels import KIND
from podpatterns.controller.apiserver import ApiError, ApiServer, UnansweredError
from podpatterns.controller.health import Health
from podpatterns.controller.key import Key

WATCH_SECONDS = (300, 600)
"""A watch ends after a random while in between, so that restarts of many clients spread out."""
RETRY = (0.1, 5.0)
"""The first and the longest pause in seconds after a failure."""

log = logging.getLogger(__name__)


class Store(Protocol):
    """Gives back the keys of the objects that its news are about."""

    def put(self, obj: Mapping[str, Any], /) -> set[Key]: ...
    def remove(self, uid: str, version: int, /) -> set[Key]: ...
    def sweep(self, listed: Iterable[str], version: int, /) -> set[Key]: ...


class Informer:
    """Keeps `store` equal to what carries our label at `path`, and passes on the keys that changed."""

    def __init__(
        self,
        api: ApiServer,
        path: str,
        store: Store,
        changed: Callable[[Iterable[Key]], None],
        health: Health,
    ) -> None:
        self._api = api
        self._path = path
        self._store = store
        self._changed = changed
        self._health = health
        self._version: int | None = None
        self._pause = RETRY[0]
        self.synced = asyncio.Event()
        """The first list is in."""

    async def run(self) -> None:
        while True:
            self._beat()
            began = time.monotonic()
            try:
                if self._version is None:
                    await self._list()
                await self._watch()
                self._pause = RETRY[0]
            except (ApiError, UnansweredError) as error:
                if isinstance(error, ApiError) and error.gone:
                    self._version = None
                log.warning(
                    "Watch broke, starting again",
                    extra={"path": self._path, "error": str(error), "pause": self._pause},
                )
                await asyncio.sleep(self._pause)
                # What held for longer than the pause before it was not refused: this is another trouble.
                lasted = time.monotonic() - began - self._pause
                self._pause = RETRY[0] if lasted > self._pause else min(RETRY[1], self._pause * 2)

    async def _list(self) -> None:
        uids: list[str] = []
        version = 0
        async for page in self._api.list_pages(self._path, labelSelector=KIND):
            self._beat()
            for obj in page.items:
                uids.append(obj["metadata"]["uid"])
                self._changed(self._store.put(obj))
            version = page.resource_version
        self._changed(self._store.sweep(uids, version))
        self._version = version
        self.synced.set()

    async def _watch(self) -> None:
        assert self._version is not None
        seconds = random.randint(*WATCH_SECONDS)  # noqa: S311 (spreads load, guards nothing)
        events = self._api.watch(self._path, self._version, labelSelector=KIND, timeoutSeconds=str(seconds))
        async for event in events:
            self._beat()
            self._pause = RETRY[0]
            obj = event["object"]
            version = int(obj["metadata"]["resourceVersion"])
            if event["type"] in ("ADDED", "MODIFIED"):
                self._changed(self._store.put(obj))
            elif event["type"] == "DELETED":
                self._changed(self._store.remove(obj["metadata"]["uid"], version))
            self._version = version

    def _beat(self) -> None:
        patience = self._api.patience
        self._health.beat(
            f"watch of {self._path}", within=2 * (patience.silence + patience.request + RETRY[1])
        )
