"""Every change of one resource in one namespace, from LIST and WATCH."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import aiohttp

from testbed.witness.change import Change, Object

if TYPE_CHECKING:
    import ssl

RETRY_SECONDS = 0.1
LIST_SECONDS = 30
BOOKMARK_SECONDS = 90
"""The API server sends a bookmark about every minute; a watch that is silent for longer is dead."""


class GoneError(Exception):
    """The changes since our resourceVersion are no longer to be had."""


class Watcher:
    """Collects `changes` and keeps `objects`, by UID. `run` goes on until it is cancelled."""

    def __init__(self, url: str, tls: ssl.SSLContext, path: str, kind: str) -> None:
        self._url = f"{url}{path}"
        self._tls = tls
        self._kind = kind
        self._version: int | None = None
        self._listed = False
        self.changes: list[Change] = []
        self.objects: dict[str, Object] = {}
        self.gaps: list[str] = []
        """Times of which nothing is known but how they ended, as `<resource> from..to`."""
        self.started = asyncio.Event()

    async def run(self) -> None:
        connector = aiohttp.TCPConnector(ssl=self._tls)
        async with aiohttp.ClientSession(connector=connector, read_bufsize=2**21) as session:
            while True:
                try:
                    if not self._listed:
                        await self._list(session)
                    await self._watch(session)
                except GoneError:
                    self._listed = False
                except (aiohttp.ClientError, TimeoutError):
                    await asyncio.sleep(RETRY_SECONDS)

    async def _list(self, session: aiohttp.ClientSession) -> None:
        timeout = aiohttp.ClientTimeout(total=LIST_SECONDS)
        async with session.get(self._url, timeout=timeout, raise_for_status=True) as response:
            answer = await response.json()
        version = int(answer["metadata"]["resourceVersion"])
        if self._version is not None:
            self.gaps.append(f"{self._kind} {self._version}..{version}")
        present = {item["metadata"]["uid"]: {**item, "kind": self._kind} for item in answer["items"]}
        for uid in self.objects.keys() - present.keys():
            self._take(Change("UNLISTED", version, self.objects[uid]))
        for item in present.values():
            self._take(Change("LISTED", version, item))
        self._version, self._listed = version, True
        self.started.set()

    async def _watch(self, session: aiohttp.ClientSession) -> None:
        parameters = {"watch": "true", "allowWatchBookmarks": "true", "resourceVersion": str(self._version)}
        timeout = aiohttp.ClientTimeout(sock_connect=LIST_SECONDS, sock_read=BOOKMARK_SECONDS)
        async with session.get(self._url, params=parameters, timeout=timeout) as response:
            try:
                if response.status == HTTPStatus.GONE:
                    raise GoneError
                response.raise_for_status()
                async for line in response.content:
                    self._hear(json.loads(line))
            finally:
                # A polite end of TLS would outlive the event loop.
                if response.connection and response.connection.transport:
                    response.connection.transport.abort()

    def _hear(self, event: dict[str, Any]) -> None:
        if event["type"] == "ERROR":
            if event["object"].get("code") == HTTPStatus.GONE:
                raise GoneError
            raise aiohttp.ClientPayloadError(str(event["object"]))
        version = int(event["object"]["metadata"]["resourceVersion"])
        if event["type"] != "BOOKMARK":
            self._take(Change(event["type"], version, event["object"]))
        self._version = version

    def _take(self, change: Change) -> None:
        uid = change.object["metadata"]["uid"]
        if change.type in ("DELETED", "UNLISTED"):
            self.objects.pop(uid, None)
        else:
            self.objects[uid] = change.object
        self.changes.append(change)
