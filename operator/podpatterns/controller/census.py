"""The census of our own kinds: whole lists, at the start, from time to time and when kopf listed again.

kopf tells of changes; it gives no DELETED event for what vanished while its watch was broken, nor does it say
when its first list is complete.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

from podpatterns.api import API_VERSION, GROUP, KINDS
from podpatterns.controller.apiserver import ApiError, ApiServer, UnansweredError
from podpatterns.controller.health import Health
from podpatterns.controller.key import Key
from podpatterns.controller.objectstore import ObjectStore

INTERVAL = 300.0
RETRY = 2.0
"""Seconds."""

log = logging.getLogger(__name__)


class KindsMissingError(Exception):
    """The cluster does not know our kinds, and kopf, which looks once, would never see them."""

    def __init__(self) -> None:
        super().__init__(
            "the CustomResourceDefinitions are missing: kubectl apply -f crds/, then start again"
        )


class Census:
    def __init__(
        self, api: ApiServer, store: ObjectStore, changed: Callable[[Iterable[Key]], None], health: Health
    ) -> None:
        self._api = api
        self._store = store
        self._changed = changed
        self._health = health
        self._listed_by_kopf: set[str] = set()
        self._wanted = asyncio.Event()
        self.synced = asyncio.Event()
        """The first lists of all kinds are in, and whoever looks for the kinds finds them."""

    def see(self, event_type: str | None, obj: Mapping[str, Any]) -> None:
        """Take in what kopf saw; a type of None means that it was listed and not watched."""
        meta = obj["metadata"]
        uid = meta["uid"]
        if event_type == "DELETED":
            self._listed_by_kopf.discard(uid)
            self._changed(self._store.remove(Key(obj["kind"], meta["namespace"], meta["name"]), uid))
            return
        if event_type is None:
            if uid in self._listed_by_kopf:
                self._wanted.set()  # listed a second time: the watch was broken in between
            self._listed_by_kopf.add(uid)
        self._changed(self._store.put(obj))

    async def run(self) -> None:
        while True:
            self._health.beat("census", within=2 * (INTERVAL + self._api.patience.request))
            try:
                for kind in KINDS:
                    await self._list(f"/apis/{API_VERSION}/{kind.plural}", kind.kind)
                if not self.synced.is_set() and not await self._discoverable():
                    await asyncio.sleep(RETRY)
                    continue
            except (ApiError, UnansweredError) as error:
                if isinstance(error, ApiError) and error.code == HTTPStatus.NOT_FOUND:
                    raise KindsMissingError from error
                log.warning("Kinds not listed, trying again", extra={"error": str(error)})
                await asyncio.sleep(RETRY)
                continue
            self.synced.set()
            try:
                async with asyncio.timeout(INTERVAL):
                    await self._wanted.wait()
            except TimeoutError:
                pass
            self._wanted.clear()

    async def _discoverable(self) -> bool:
        """An API server that has only just started may serve a kind before it tells that there is one."""
        groups = (await self._api.get("/apis"))["groups"]
        if not any(group["name"] == GROUP for group in groups):
            return False
        resources = (await self._api.get(f"/apis/{API_VERSION}"))["resources"]
        return {kind.plural for kind in KINDS} <= {resource["name"] for resource in resources}

    async def _list(self, path: str, kind: str) -> None:
        listed: dict[Key, str] = {}
        version = 0
        async for page in self._api.list_pages(path):
            self._health.beat("census", within=2 * (INTERVAL + self._api.patience.request))
            for obj in page.items:
                meta = obj["metadata"]
                # Items of a list of custom resources carry their kind, as kopf's events do.
                listed[Key(kind, meta["namespace"], meta["name"])] = meta["uid"]
                self._changed(self._store.put(obj))
            version = page.resource_version
        self._changed(self._store.sweep(kind, listed, version))
