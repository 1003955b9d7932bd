"""One watcher for all subjects: what happens to Pods, with the moment at which the word of it arrived."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.subject import LABEL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from bench.api import Api

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

    async def follow(self, api: Api, path: str, since: str, **params: str) -> None:
        """Never ends. Where the API server ends a watch, as it does when it is busy, another goes on."""
        try:
            while True:
                async for line in api.watch(path, since, **params):
                    at, event = time.monotonic(), json.loads(line)
                    self._arrivals.put_nowait(_arrival(at, event))
                    since = event["object"]["metadata"]["resourceVersion"]
        except Exception as error:
            self._arrivals.put_nowait(error)


@asynccontextmanager
async def pod_watch(api: Api, namespace: str, **params: str) -> AsyncIterator[PodWatch]:
    """Watches the namespace's Pods from now on."""
    path = f"/api/v1/namespaces/{namespace}/pods"
    watch = PodWatch()
    following = asyncio.create_task(watch.follow(api, path, await api.now(path), **params))
    try:
        yield watch
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


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
