"""The quiet tenant: Pods of ours and of a ReplicaSet that are deleted one after another and come back."""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bench.isolation.tenant import make_namespace
from bench.podwatch import Arrival, PodWatch, pod_watch
from bench.subject import GENERATED, REPLICASET, Subject

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bench.api import Api

REPLICAS = 2
SUBJECTS = (GENERATED, REPLICASET)


class Quiet:
    def __init__(self, api: Api, namespace: str, watch: PodWatch) -> None:
        self._api = api
        self._pods = f"/api/v1/namespaces/{namespace}/pods"
        self._watch = watch
        self._present: dict[Subject, list[str]] = {}
        """Names of Pods, the oldest first."""

    async def settle_in(self, namespace: str) -> None:
        for subject in SUBJECTS:
            name = _name(subject)
            await self._api.create(subject.collection(namespace), [subject.manifest(name, REPLICAS)])
            self._present[subject] = [(await self._next(subject)).name for _ in range(REPLICAS)]

    async def replace(self, count: int) -> dict[Subject, list[float]]:
        """Seconds from the request to delete a Pod to the word of its successor's creation, in turn.

        Nobody waits until Pods run: that is for scheduler and nodes, which have the hostile tenant's too.
        """
        found: defaultdict[Subject, list[float]] = defaultdict(list)
        for _ in range(count):
            for subject in SUBJECTS:
                started = time.monotonic()
                await self._api.delete(f"{self._pods}/{self._present[subject].pop(0)}")
                successor = await self._next(subject)
                found[subject].append(successor.at - started)
                self._present[subject].append(successor.name)
        return found

    async def _next(self, subject: Subject) -> Arrival:
        """The next Pod that is created."""
        return await self._watch.next(lambda a: a.type == "ADDED" and a.owner == _name(subject))


def _name(subject: Subject) -> str:
    return f"quiet-{subject.side}"


@asynccontextmanager
async def quiet(api: Api, namespace: str) -> AsyncIterator[Quiet]:
    """Inside, the quiet tenant has its Pods."""
    await make_namespace(api, namespace)
    async with pod_watch(api, namespace) as watch:
        tenant = Quiet(api, namespace, watch)
        await tenant.settle_in(namespace)
        yield tenant
