"""The gauges that are set at a scrape."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families

from podpatterns.controller.apiserver import ApiServer
from podpatterns.controller.configmapstore import ConfigMapStore
from podpatterns.controller.exposition import TURN, Exposition
from podpatterns.controller.health import Health
from podpatterns.controller.informer import Informer
from podpatterns.controller.key import Key
from podpatterns.controller.objectstore import ObjectStore
from podpatterns.controller.podstore import PodStore
from podpatterns.controller.resync import Resync
from podpatterns.controller.workqueue import WorkQueue
from tests.unit.controller.server import serving

MANY = 10 * TURN


def site(name: str, **ready: Any) -> dict[str, Any]:
    meta = {"namespace": "ns", "name": name, "uid": name, "resourceVersion": "1", "generation": 1}
    others = [{"type": t, "status": "True"} for t in ("Progressing", "Available", "ReplicaFailure")]
    conditions = [*others, {"type": "Ready", **ready}] if ready else []
    return {"kind": "SidecarApp", "metadata": meta, "spec": {}, "status": {"conditions": conditions}}


async def not_found(_: web.Request) -> web.Response:
    return web.Response(status=404)


def exposition_of(api: ApiServer, objects: ObjectStore, queue: WorkQueue[Key]) -> Exposition:
    def nothing(_: object) -> None:
        pass

    pods = PodStore()
    informers = [Informer(api, "pods", pods, nothing, Health())]
    resync = Resync(api, objects, nothing, Health())
    return Exposition(queue, (objects, pods, ConfigMapStore()), informers, resync)


async def scraped(objects: ObjectStore, queue: WorkQueue[Key]) -> dict[str, float]:
    """Values of a scrape, by name and labels."""
    async with serving(not_found) as api:
        text = await exposition_of(api, objects, queue).text()
    return {
        f"{sample.name}{sorted(sample.labels.values())}": sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def queue_of(*keys: Key) -> WorkQueue[Key]:
    queue: WorkQueue[Key] = WorkQueue(lambda key: key.namespace, 1, 1)
    for key in keys:
        queue.add(key)
    return queue


async def test_objects_that_are_not_ready_by_reason() -> None:
    objects = ObjectStore()
    long_ago = "2020-01-01T00:00:00Z"
    objects.put(site("a", status="True", reason="PodsAvailable", lastTransitionTime=long_ago))
    objects.put(site("b", status="False", reason="RollingOut", lastTransitionTime="2026-01-02T00:00:00Z"))
    objects.put(site("c", status="False", reason="RollingOut", lastTransitionTime="2026-01-01T00:00:00Z"))
    objects.put(site("d", status="False", reason="made up by somebody", lastTransitionTime="soon"))
    objects.put(site("e"))
    found = await scraped(objects, queue_of())
    assert found["podpatterns_objects['SidecarApp']"] == 5
    assert found["podpatterns_objects['Adapter']"] == 0
    prefix = "podpatterns_objects_not_ready"
    counted = {k.removeprefix(prefix): v for k, v in found.items() if k.startswith(f"{prefix}[")}
    assert counted == {
        "['RollingOut', 'SidecarApp']": 2,
        "['Other', 'SidecarApp']": 1,
        "['SidecarApp', 'Unobserved']": 1,
    }
    age = found[f"{prefix}_longest_seconds['RollingOut', 'SidecarApp']"]
    assert age == pytest.approx(time.time() - 1_767_225_600, abs=60)
    assert found["podpatterns_cache_objects['sidecarapps']"] == 5
    objects.remove(Key("SidecarApp", "ns", "e"), "e")
    assert "podpatterns_objects_not_ready['SidecarApp', 'Unobserved']" not in await scraped(
        objects, queue_of()
    )


async def test_the_queue() -> None:
    one, other = Key("Adapter", "ns", "one"), Key("Adapter", "ns", "other")
    queue = queue_of(one, other)
    assert await queue.get() == one
    queue.add_low_priority(one)
    found = await scraped(ObjectStore(), queue)
    assert found["podpatterns_workqueue_depth['urgent']"] == 1
    assert found["podpatterns_workqueue_depth['low']"] == 1
    assert found["podpatterns_workqueue_oldest_key_seconds['urgent']"] > 0
    assert found["podpatterns_workqueue_longest_running_processor_seconds[]"] > 0
    queue.forget(other)
    found = await scraped(ObjectStore(), queue)
    assert found["podpatterns_workqueue_depth['urgent']"] == 0
    assert found["podpatterns_workqueue_oldest_key_seconds['urgent']"] == 0


async def test_a_scrape_of_many_objects_leaves_the_event_loop_to_others() -> None:
    objects = ObjectStore()
    for number in range(MANY):
        objects.put(site(f"site-{number}", status="False", reason="RollingOut", lastTransitionTime="2026"))
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with serving(not_found) as api:
        exposition = exposition_of(api, objects, queue_of())
        running = asyncio.create_task(others())
        await exposition.text()
        running.cancel()
    assert turns >= MANY // TURN - 1
