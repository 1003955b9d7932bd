"""From nothing to all Pods Ready."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.podwatch import Arrival, pod_watch
from testbed.cluster.progress import step

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bench.subject import Subject
    from bench.testbed import Testbed


@dataclass(frozen=True)
class RampUp:
    namespace: str
    pods: int
    seconds: float
    """From the first object's creation to the word of the last Pod's readiness."""
    cpu_seconds: float
    """Of the process that keeps the Pods, until it had nothing left to do."""

    @property
    def rate(self) -> float:
        """Pods per second."""
        return self.pods / self.seconds

    @property
    def cpu_per_pod(self) -> float:
        """Milliseconds."""
        return 1000 * self.cpu_seconds / self.pods


def object_name(index: int) -> str:
    return f"object-{index:05}"


@asynccontextmanager
async def ramped_up(testbed: Testbed, subject: Subject, objects: int, replicas: int) -> AsyncIterator[RampUp]:
    """Inside, the objects are there with all their Pods."""
    title = f"{subject.kind} {objects} x {replicas}"
    async with testbed.namespace(title, subject) as namespace:
        before = await testbed.cpu_seconds(subject.side)
        with step(f"{subject.kind}: {objects} x {replicas} Pods"):
            seconds = await _ramp_up(testbed, subject, namespace, objects, replicas)
        used = await testbed.cpu_seconds(subject.side) - before
        yield RampUp(namespace, objects * replicas, seconds, used)


async def _ramp_up(testbed: Testbed, subject: Subject, namespace: str, objects: int, replicas: int) -> float:
    # kwok's nodes make a Pod Running and Ready in one write, so that this selector tells one event of each.
    async with pod_watch(testbed.api, namespace, fieldSelector="status.phase=Running") as watch:
        manifests = [subject.manifest(object_name(index), replicas) for index in range(objects)]
        started = time.monotonic()
        await testbed.api.create(subject.collection(namespace), manifests)
        ready: dict[str, Arrival] = {}
        while len(ready) < objects * replicas:
            arrival = await watch.next(lambda arrival: arrival.ready)
            ready[arrival.uid] = arrival
        return max(arrival.at for arrival in ready.values()) - started
