"""How long a deleted Pod is missed: from the request to the word of its successor's creation."""

from __future__ import annotations

import itertools
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.podwatch import Arrival, PodWatch, pod_watch
from bench.rampup import RampUp, object_name
from testbed.cluster.progress import step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.subject import Subject
    from bench.testbed import Testbed

OBJECTS, REPLICAS = 10, 5


async def replacements(
    testbed: Testbed, subjects: Sequence[Subject], count: int
) -> dict[Subject, list[float]]:
    """Seconds from the request to the successor's ADDED event, for `count` Pods of each subject.

    They are deleted one after another, of each subject in turn.
    """
    latencies: dict[Subject, list[float]] = defaultdict(list)
    async with testbed.namespace("replacement", *subjects) as namespace:
        pods = f"/api/v1/namespaces/{namespace}/pods"
        async with pod_watch(testbed.api, namespace) as watch:
            turns = {c: await _set_up(testbed, c, namespace, watch) for c in subjects}
            with step(f"Delete {count} Pods each of {', '.join(map(str, subjects))}"):
                for _ in range(count):
                    for subject, turn in turns.items():
                        latencies[subject].append(await _replace(testbed, pods, watch, turn))
    return latencies


async def replace_all(testbed: Testbed, subject: Subject, run: RampUp) -> float:
    """CPU seconds of the process that keeps the Pods per Pod, when all are deleted at once."""
    async with pod_watch(testbed.api, run.namespace, fieldSelector="status.phase=Running") as watch:
        before = await testbed.cpu_seconds(subject.side)
        ready: set[str] = set()
        with step(f"{subject}: delete {run.pods} Pods at once"):
            old = set((await testbed.api.uids(f"/api/v1/namespaces/{run.namespace}/pods")).values())
            await testbed.api.delete(f"/api/v1/namespaces/{run.namespace}/pods")
            while len(ready) < run.pods:
                ready.add((await watch.next(lambda a: a.ready and a.uid not in old)).uid)
        return (await testbed.cpu_seconds(subject.side) - before) / run.pods


@dataclass
class _Turn:
    """Whose Pod is next to be deleted, and the Pods of each."""

    owners: Iterator[str]
    pods: dict[str, list[Arrival]]


async def _set_up(testbed: Testbed, subject: Subject, namespace: str, watch: PodWatch) -> _Turn:
    names = [f"{subject}-{object_name(index)}".lower() for index in range(OBJECTS)]
    manifests = [subject.manifest(name, REPLICAS) for name in names]
    await testbed.api.create(subject.collection(namespace), manifests)
    pods: dict[str, list[Arrival]] = defaultdict(list)
    seen: set[str] = set()
    while len(seen) < OBJECTS * REPLICAS:
        arrival = await watch.next(lambda a: a.ready and a.uid not in seen and a.owner in names)
        seen.add(arrival.uid)
        pods[arrival.owner].append(arrival)
    return _Turn(itertools.cycle(names), pods)


async def _replace(testbed: Testbed, pods: str, watch: PodWatch, turn: _Turn) -> float:
    owner = next(turn.owners)
    present = turn.pods[owner]
    old = {pod.uid for pod in present}
    started = time.monotonic()
    await testbed.api.delete(f"{pods}/{present.pop(0).name}")
    successor = await watch.next(lambda a: a.type == "ADDED" and a.owner == owner)
    # Not necessarily the same: kwok at times deletes a second Pod by the name of one that it has deleted.
    present.append(await watch.next(lambda a: a.owner == owner and a.ready and a.uid not in old))
    return successor.at - started
