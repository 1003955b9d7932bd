"""The exposition of the operator's metrics, whose gauges are set at each scrape.

The walk over all objects gives way to the event loop every few milliseconds, and scrapes wait for one
another: however many there are, and whoever asks, the work goes on beside them.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from prometheus_client import Gauge, generate_latest

from podpatterns.api import KINDS
from podpatterns.api.conditions import ConditionType
from podpatterns.controller import metrics
from podpatterns.controller.configmapstore import ConfigMapStore
from podpatterns.controller.informer import Informer
from podpatterns.controller.key import Key
from podpatterns.controller.objectstore import Entry, ObjectStore
from podpatterns.controller.podstore import PodStore
from podpatterns.controller.resync import Resync
from podpatterns.controller.workqueue import WorkQueue

TURN = 1_000
"""Objects looked at before others get their turn in the event loop: some 2 ms."""
UNOBSERVED = "Unobserved"
"""Reason of an object whose status the operator has not written yet."""


class Readiness:
    """The objects by kind, and those that are not ready by kind and reason."""

    def __init__(self) -> None:
        self.objects: Counter[str] = Counter({kind.kind: 0 for kind in KINDS})
        self.not_ready: Counter[_Case] = Counter()
        self.since: dict[_Case, str] = {}
        """The earliest time since when one is not, as the API server writes times, which sort as text."""

    def add(self, entry: Entry) -> None:
        kind = entry.key.kind
        self.objects[kind] += 1
        ready = _ready(entry.status)
        if ready.get("status") == "True":
            return
        case = _Case(kind, metrics.ready_reason(ready["reason"]) if "reason" in ready else UNOBSERVED)
        self.not_ready[case] += 1
        since = ready.get("lastTransitionTime")
        if isinstance(since, str) and since < self.since.get(case, "~"):
            self.since[case] = since


class _Case(NamedTuple):
    kind: str
    reason: str


class Exposition:
    def __init__(
        self,
        queue: WorkQueue[Key],
        stores: tuple[ObjectStore, PodStore, ConfigMapStore],
        informers: Sequence[Informer],
        resync: Resync,
    ) -> None:
        self._queue = queue
        self._objects, self._pods, self._config_maps = stores
        self._informers = informers
        self._resync = resync
        self._turn = asyncio.Lock()

    async def text(self) -> bytes:
        """Return what Prometheus is to read."""
        async with self._turn:
            readiness = Readiness()
            for number, entry in enumerate(self._objects.entries()):
                readiness.add(entry)
                if number % TURN == TURN - 1:
                    await asyncio.sleep(0)
            self._set(readiness)
            return generate_latest()

    def _set(self, readiness: Readiness) -> None:
        _fill(metrics.OBJECTS, (((kind,), n) for kind, n in readiness.objects.items()))
        _fill(metrics.NOT_READY, readiness.not_ready.items())
        now = time.time()
        since = ((case, max(0.0, now - _unix(moment))) for case, moment in readiness.since.items())
        _fill(metrics.LONGEST_NOT_READY, since)
        _fill(metrics.QUEUE_DEPTH, (((priority,), n) for priority, n in self._queue.depths.items()))
        _fill(metrics.QUEUE_AGE, (((priority,), age) for priority, age in self._queue.ages.items()))
        metrics.LONGEST_RECONCILE.set(self._queue.longest)
        # Of several namespaces' watches the one that is silent for the longest.
        ages = sorted((i.age, i.resource) for i in self._informers)
        _fill(metrics.WATCH_AGE, (((resource,), age) for age, resource in ages))
        metrics.RESYNC_AGE.set(self._resync.age)
        caches = {"pods": len(self._pods), "configmaps": len(self._config_maps)}
        caches |= {kind.plural: readiness.objects[kind.kind] for kind in KINDS}
        _fill(metrics.CACHE_OBJECTS, (((resource,), n) for resource, n in caches.items()))


def _fill(gauge: Gauge, values: Iterable[tuple[Sequence[str], float]]) -> None:
    """Set the gauge to these values, by their labels, and to no others."""
    gauge.clear()
    for labels, value in values:
        gauge.labels(*labels).set(value)


def _ready(status: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the condition, empty without one."""
    for condition in status.get("conditions") or ():
        if condition["type"] == ConditionType.READY:
            return condition  # type: ignore[no-any-return]
    return {}


def _unix(moment: str) -> float:
    """Return the Unix seconds; of what is no time, infinity."""
    try:
        return datetime.fromisoformat(moment).timestamp()
    except ValueError:
        return math.inf
