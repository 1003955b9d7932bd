"""The work queue: keys, each at most once, with delays and per-key back-off.

The contract is client-go's: a key that is added while a worker has it is handed out again when that worker is
done, never to two workers at once.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

from podpatterns.controller.backoff import backoff

K = TypeVar("K", bound=Hashable)


class WorkQueue(Generic[K]):
    def __init__(self) -> None:
        self._ready: deque[K] = deque()
        self._dirty: set[K] = set()
        self._working: dict[K, float] = {}
        self._timers: dict[K, asyncio.TimerHandle] = {}
        self._failures: dict[K, int] = {}
        self._wakeup = asyncio.Event()
        self._closed = False

    def __len__(self) -> int:
        return len(self._dirty)

    @property
    def longest(self) -> float:
        """Seconds since the key that has been in work for the longest was handed out."""
        return time.monotonic() - min(self._working.values()) if self._working else 0.0

    def add(self, key: K) -> None:
        if timer := self._timers.pop(key, None):
            timer.cancel()
        if key in self._dirty:
            return
        self._dirty.add(key)
        if key not in self._working:
            self._ready.append(key)
            self._wakeup.set()

    def add_after(self, key: K, seconds: float) -> None:
        """Add later, unless it is added earlier."""
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        if timer := self._timers.get(key):
            if timer.when() <= due:
                return
            timer.cancel()
        self._timers[key] = loop.call_at(due, self.add, key)

    def add_failed(self, key: K) -> None:
        """Add after the key's growing back-off."""
        self._failures[key] = failures = self._failures.get(key, 0) + 1
        self.add_after(key, backoff(failures))

    def succeeded(self, key: K) -> None:
        """Start the key's back-off anew."""
        self._failures.pop(key, None)

    def close(self) -> None:
        """Hand out no more keys."""
        self._closed = True
        self._wakeup.set()

    async def get(self) -> K | None:
        """The next key, None once closed; call `done` when it is worked off."""
        while not self._ready and not self._closed:
            self._wakeup.clear()
            await self._wakeup.wait()
        if self._closed:
            return None
        key = self._ready.popleft()
        self._dirty.discard(key)
        self._working[key] = time.monotonic()
        return key

    def done(self, key: K) -> None:
        self._working.pop(key, None)
        if key in self._dirty:
            self._ready.append(key)
            self._wakeup.set()
