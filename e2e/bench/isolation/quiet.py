"""The quiet tenant: Pods of ours and of a ReplicaSet that are deleted one after another and come back."""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from e2e.bench.contender import GENERATED, REPLICASET, Contender
from e2e.bench.isolation.tenant import make_namespace
from e2e.bench.podwatch import PodWatch, pod_watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from e2e.bench.api import Api

REPLICAS = 2
CONTENDERS = (GENERATED, REPLICASET)


class Quiet:
    def __init__(self, api: Api, namespace: str, watch: PodWatch) -> None:
        self._api = api
        self._pods = f"/api/v1/namespaces/{namespace}/pods"
        self._watch = watch
        self._present: dict[Contender, list[str]] = {}
        """Names of Pods, the oldest first."""
        self._known: set[str] = set()
        """UIDs of all Pods that ever were ready."""

    async def settle_in(self, namespace: str) -> None:
        for contender in CONTENDERS:
            name = _name(contender)
            await self._api.create(contender.collection(namespace), [contender.manifest(name, REPLICAS)])
            self._present[contender] = []
            while len(self._present[contender]) < REPLICAS:
                await self._next_ready(contender)

    async def replace(self, count: int) -> dict[Contender, list[float]]:
        """Seconds from the request to delete a Pod to the word of its successor's creation, in turn."""
        found: defaultdict[Contender, list[float]] = defaultdict(list)
        for _ in range(count):
            for contender in CONTENDERS:
                started = time.monotonic()
                name = self._present[contender].pop(0)
                await self._api.delete(f"{self._pods}/{name}")
                created = await self._watch.next(
                    lambda a: a.type == "ADDED" and a.owner == _name(contender)  # noqa: B023 (awaited at once)
                )
                found[contender].append(created.at - started)
                await self._next_ready(contender)
        return found

    async def _next_ready(self, contender: Contender) -> None:
        pod = await self._watch.next(
            lambda a: a.ready and a.owner == _name(contender) and a.uid not in self._known
        )
        self._known.add(pod.uid)
        self._present[contender].append(pod.name)


def _name(contender: Contender) -> str:
    return f"quiet-{contender.side}"


@asynccontextmanager
async def quiet(api: Api, namespace: str) -> AsyncIterator[Quiet]:
    """Inside, the quiet tenant has its Pods."""
    await make_namespace(api, namespace)
    async with pod_watch(api, namespace) as watch:
        tenant = Quiet(api, namespace, watch)
        await tenant.settle_in(namespace)
        yield tenant
