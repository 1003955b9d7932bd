"""The work queue: keys, each at most once, with delays, per-key back-off and a low-priority queue.

The contract is client-go's: a key that is added while a worker has it is handed out again when that worker is
done, never to two workers at once, whichever of the two queues it is in. Beyond that:

- Each of the two is a fair queue: no tenant's keys keep another tenant's waiting for more than a turn, nor
  may they take all workers.
- A timer of a key that was handed out for a timer, without an event in between, fires a second after that one
  at the earliest: whatever waits a caller works out, they make no hot loop.
- Between two keys that are handed out the event loop has its turn: 1,000 that cost a few ms each and wait for
  nothing would hold it up for seconds.
- A failed key comes again after its back-off. Events bring it at once meanwhile, and neither shorten the
  back-off nor start it anew.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Generic, NamedTuple, TypeVar

from podpatterns.controller.backoff import backoff
from podpatterns.controller.fairqueue import FairQueue
from podpatterns.controller.metrics import QUEUE_ADDS, QUEUE_DURATION, QUEUE_RETRIES

K = TypeVar("K", bound=Hashable)

TIMER_PERIOD = 1.0
"""Shortest time in seconds between two timers of a key without an event."""


class WorkQueue(Generic[K]):
    """`tenant` names the tenant of a key; `workers` and `low_priority_workers` call the two `get`s."""

    def __init__(self, tenant: Callable[[K], Hashable], workers: int, low_priority_workers: int = 0) -> None:
        self._urgent = _PriorityQueue("urgent", tenant, workers)
        self._low_priority = _PriorityQueue("low", tenant, low_priority_workers)
        self._working: dict[K, _Work[K]] = {}
        self._throttled: dict[K, asyncio.TimerHandle] = {}
        self._timers: dict[K, asyncio.TimerHandle] = {}
        self._fired: dict[K, float] = {}
        """Time of the last timer of a key that no event has followed, in the loop's seconds."""
        self._failures: dict[K, _Failures] = {}
        self._turn = asyncio.Lock()
        """Held by the worker that is next to get a key."""
        self._closed = False

    def __len__(self) -> int:
        return len(self._urgent.wanted.keys() | self._low_priority.wanted.keys())

    @property
    def depths(self) -> dict[str, int]:
        """Number of keys to be handed out, by priority."""
        return {queue.priority: len(queue.wanted) for queue in (self._urgent, self._low_priority)}

    @property
    def ages(self) -> dict[str, float]:
        """Seconds since the oldest key to be handed out was added, by priority; 0 where there is none."""
        now = time.monotonic()
        return {queue.priority: queue.age(now) for queue in (self._urgent, self._low_priority)}

    @property
    def longest(self) -> float:
        """Seconds since the key that has been in work for the longest was handed out."""
        return time.monotonic() - min(w.since for w in self._working.values()) if self._working else 0.0

    @property
    def urgent(self) -> bool:
        """True while urgent keys are waiting or in work."""
        return bool(self._urgent.wanted) or any(w.queue is self._urgent for w in self._working.values())

    def add(self, key: K) -> None:
        self._fired.pop(key, None)
        self._add(key)

    def add_low_priority(self, key: K) -> None:
        """Add with a low priority, unless the key is urgent already."""
        if key not in self._urgent.wanted:
            self._enter(self._low_priority, key)

    def add_after(self, key: K, seconds: float) -> None:
        """Add later, unless it is added earlier."""
        loop = asyncio.get_running_loop()
        due = loop.time() + max(0.0, seconds)
        if (fired := self._fired.get(key)) is not None:
            due = max(due, fired + TIMER_PERIOD)
        if timer := self._timers.get(key):
            if timer.when() <= due:
                return
            timer.cancel()
        self._timers[key] = loop.call_at(due, self._fire, key)

    def add_failed(self, key: K, at_least: float = 0.0) -> None:
        """Add after the key's growing back-off; a failure within the back-off leaves it as it is."""
        failed = self._failures.get(key)
        if failed and failed.retry:
            return
        count = failed.count + 1 if failed else 1
        QUEUE_RETRIES.inc()
        retry = asyncio.get_running_loop().call_later(max(at_least, backoff(count)), self._retry, key)
        self._failures[key] = _Failures(count, retry)

    def succeeded(self, key: K) -> None:
        """Start the back-off of the key anew: all its work is done."""
        failed = self._failures.pop(key, None)
        if failed and failed.retry:
            failed.retry.cancel()

    def forget(self, key: K) -> None:
        """Take the key out with all its timers; a worker that has it goes on."""
        self.succeeded(key)
        if timer := self._timers.pop(key, None):
            timer.cancel()
        self._fired.pop(key, None)
        for queue in (self._urgent, self._low_priority):
            queue.discard(key)

    def close(self) -> None:
        """Hand out no more keys."""
        self._closed = True
        for queue in (self._urgent, self._low_priority):
            queue.changed.set()

    async def get(self) -> K | None:
        """Return the next key, None once closed; call `done` after its work."""
        return await self._next(self._urgent)

    async def get_low_priority(self) -> K | None:
        """Return the next key of a low priority, None once closed; call `done` after its work."""
        return await self._next(self._low_priority)

    def done(self, key: K, throttle: float = 0) -> None:
        """End the work on a key: it may be handed out again after `throttle` seconds."""
        if work := self._working.pop(key, None):
            work.queue.release(key)
        if not (key in self._timers or key in self._urgent.wanted or key in self._low_priority.wanted):
            self._fired.pop(key, None)
        if throttle > 0:
            self._throttled[key] = asyncio.get_running_loop().call_later(throttle, self._unthrottle, key)
        else:
            self._unthrottle(key)

    def _unthrottle(self, key: K) -> None:
        self._throttled.pop(key, None)
        for queue in (self._urgent, self._low_priority):
            if key in queue.wanted:
                queue.ready(key)

    def _fire(self, key: K) -> None:
        self._fired[key] = asyncio.get_running_loop().time()
        self._add(key)

    def _retry(self, key: K) -> None:
        self._failures[key] = replace(self._failures[key], retry=None)
        self._fire(key)

    def _add(self, key: K) -> None:
        if timer := self._timers.pop(key, None):
            timer.cancel()
        self._low_priority.discard(key)
        self._enter(self._urgent, key)

    def _enter(self, queue: _PriorityQueue[K], key: K) -> None:
        if key in queue.wanted:
            return
        queue.want(key)
        # In work or throttled it comes again after that.
        if key not in self._working and key not in self._throttled:
            queue.ready(key)

    async def _next(self, queue: _PriorityQueue[K]) -> K | None:
        while not self._closed:
            async with self._turn:
                await asyncio.sleep(0)
                if self._closed:
                    break
                if (key := queue.take()) is not None:
                    self._working[key] = _Work(queue, time.monotonic())
                    return key
                queue.changed.clear()
            await queue.changed.wait()
        return None


class _PriorityQueue(Generic[K]):
    def __init__(self, priority: str, tenant: Callable[[K], Hashable], workers: int) -> None:
        self.priority = priority
        self._tenant = tenant
        self._ready: FairQueue[K] = FairQueue(workers)
        self._adds, self._duration = QUEUE_ADDS.labels(priority), QUEUE_DURATION.labels(priority)
        self.wanted: dict[K, float] = {}
        """Keys to be handed out, those in work included, the oldest first, and since when, in monotonic
        seconds."""
        self.changed = asyncio.Event()
        """Set when there may be a key for a waiting worker."""

    def want(self, key: K) -> None:
        self.wanted[key] = time.monotonic()
        self._adds.inc()

    def age(self, now: float) -> float:
        return now - next(iter(self.wanted.values()), now)

    def ready(self, key: K) -> None:
        self._ready.put(self._tenant(key), key)
        self.changed.set()

    def take(self) -> K | None:
        key = self._ready.take()
        if key is not None and (since := self.wanted.pop(key, None)) is not None:
            self._duration.observe(time.monotonic() - since)
        return key

    def release(self, key: K) -> None:
        self._ready.release(self._tenant(key))
        self.changed.set()

    def discard(self, key: K) -> None:
        self.wanted.pop(key, None)
        self._ready.discard(self._tenant(key), key)


class _Work(NamedTuple, Generic[K]):
    queue: _PriorityQueue[K]
    since: float
    """Start of the work in monotonic seconds."""


@dataclass(frozen=True, slots=True)
class _Failures:
    count: int
    retry: asyncio.TimerHandle | None
    """Timer of the next try; None once it has fired, until the key fails again or has succeeded."""
