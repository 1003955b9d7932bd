"""One watcher for all contenders: what happens to Pods, with the moment at which the word of it arrived."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from e2e.bench.contender import LABEL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from aiohttp import StreamReader

    from e2e.bench.api import Api

PATIENCE = 120.0
"""Seconds without a wanted arrival after which something is wrong."""


@dataclass(frozen=True)
class Arrival:
    at: float
    """Monotonic seconds."""
    type: str
    """ADDED, MODIFIED or DELETED."""
    owner: str
    """The name of the object that the Pod belongs to."""
    name: str
    uid: str
    ready: bool


class PodWatch:
    def __init__(self) -> None:
        self._arrivals: asyncio.Queue[Arrival | Exception] = asyncio.Queue()

    async def next(self, wanted: Callable[[Arrival], bool]) -> Arrival:
        """The next arrival that is wanted; those before it are dropped. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE):
            while True:
                arrival = await self._arrivals.get()
                if isinstance(arrival, Exception):
                    raise arrival
                if wanted(arrival):
                    return arrival

    async def read(self, lines: StreamReader) -> None:
        try:
            async for line in lines:
                self._arrivals.put_nowait(_arrival(time.monotonic(), json.loads(line)))
        except Exception as error:
            self._arrivals.put_nowait(error)
        else:
            self._arrivals.put_nowait(RuntimeError("the watch ended"))


@asynccontextmanager
async def pod_watch(api: Api, namespace: str, **params: str) -> AsyncIterator[PodWatch]:
    """Watches the namespace's Pods from now on."""
    async with api.watch(f"/api/v1/namespaces/{namespace}/pods", **params) as lines:
        watch = PodWatch()
        reading = asyncio.create_task(watch.read(lines))
        try:
            yield watch
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


def _arrival(at: float, event: dict[str, Any]) -> Arrival:
    pod = event["object"]
    if event["type"] == "ERROR":
        raise RuntimeError(f"watch of Pods: {pod}")
    meta, conditions = pod["metadata"], pod.get("status", {}).get("conditions", [])
    return Arrival(
        at,
        event["type"],
        meta["labels"].get(LABEL, ""),
        meta["name"],
        meta["uid"],
        any(c["type"] == "Ready" and c["status"] == "True" for c in conditions),
    )
