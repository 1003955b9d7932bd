"""The work queue: keys, each at most once, with delays, per-key back-off and a second line for what has time.

The contract is client-go's: a key that is added while a worker has it is handed out again when that worker is
done, never to two workers at once, whichever line it stands in.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Hashable
from typing import Generic, NamedTuple, TypeVar

from podpatterns.controller.backoff import backoff

K = TypeVar("K", bound=Hashable)


class WorkQueue(Generic[K]):
    def __init__(self) -> None:
        self._urgent: _Line[K] = _Line()
        self._unhurried: _Line[K] = _Line()
        self._working: dict[K, _Work[K]] = {}
        self._resting: set[K] = set()
        self._timers: dict[K, asyncio.TimerHandle] = {}
        self._failures: dict[K, int] = {}
        self._closed = False

    def __len__(self) -> int:
        return len(self._urgent.wanted | self._unhurried.wanted)

    @property
    def longest(self) -> float:
        """Seconds since the key that has been in work for the longest was handed out."""
        return time.monotonic() - min(w.since for w in self._working.values()) if self._working else 0.0

    @property
    def hurried(self) -> bool:
        """Keys that have no time are there or in work."""
        return bool(self._urgent.wanted) or any(w.line is self._urgent for w in self._working.values())

    def add(self, key: K) -> None:
        if timer := self._timers.pop(key, None):
            timer.cancel()
        self._unhurried.wanted.discard(key)
        self._enter(self._urgent, key)

    def add_unhurried(self, key: K) -> None:
        """Add to the line of what has time, unless the key is in the other, whose look comes first anyway."""
        if key not in self._urgent.wanted:
            self._enter(self._unhurried, key)

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
        for line in (self._urgent, self._unhurried):
            line.filled.set()

    async def get(self) -> K | None:
        """The next key, None once closed; call `done` when it is worked off."""
        return await self._next(self._urgent)

    async def get_unhurried(self) -> K | None:
        """The next key that has time, None once closed; call `done` when it is worked off."""
        return await self._next(self._unhurried)

    def done(self, key: K, rest: float = 0) -> None:
        """Worked off: the key may be handed out again, after so many seconds."""
        self._working.pop(key, None)
        if rest > 0:
            self._resting.add(key)
            asyncio.get_running_loop().call_later(rest, self._rested, key)
        else:
            self._rested(key)

    def _rested(self, key: K) -> None:
        self._resting.discard(key)
        for line in (self._urgent, self._unhurried):
            if key in line.wanted:
                line.append(key)

    def _enter(self, line: _Line[K], key: K) -> None:
        if key in line.wanted:
            return
        line.wanted.add(key)
        if self._may_go(key):
            line.append(key)

    def _may_go(self, key: K) -> bool:
        """In work or at rest it comes again after that."""
        return key not in self._working and key not in self._resting

    async def _next(self, line: _Line[K]) -> K | None:
        while not self._closed:
            while line.keys:
                key = line.keys.popleft()
                # It may have changed lines since.
                if key in line.wanted and self._may_go(key):
                    line.wanted.discard(key)
                    self._working[key] = _Work(line, time.monotonic())
                    return key
            line.filled.clear()
            await line.filled.wait()
        return None


class _Line(Generic[K]):
    def __init__(self) -> None:
        self.wanted: set[K] = set()
        """What is to be handed out; in work or not."""
        self.keys: deque[K] = deque()
        self.filled = asyncio.Event()

    def append(self, key: K) -> None:
        self.keys.append(key)
        self.filled.set()


class _Work(NamedTuple, Generic[K]):
    line: _Line[K]
    since: float
    """Monotonic seconds."""
