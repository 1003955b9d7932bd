"""An event loop whose time leaps over waiting, for tests that wait and speak over real sockets.

Both ends of a connection are in the loop's own process. Whoever waits while nothing is ready waits for time
alone, so that an hour takes a moment and no busy machine ever makes a timeout expire.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Args = TypeVarTuple("Args")

MOMENT = 0.005
"""Real seconds in which arrives what is on its way over a socket."""


class LeapingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.now = 0.0
        self.threads = 0
        """Threads at work: what they do takes real time."""
        super().__init__(_Leaping(self))

    def time(self) -> float:
        return self.now

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Args], T], *args: *Args
    ) -> asyncio.Future[T]:
        future = super().run_in_executor(executor, func, *args)
        self.threads += 1
        future.add_done_callback(self._ended)
        return future

    def _ended(self, _: asyncio.Future[Any]) -> None:
        self.threads -= 1


class _Leaping(selectors.DefaultSelector):
    def __init__(self, loop: LeapingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        began = time.monotonic()
        found = super().select(timeout if self._loop.threads else min(timeout, MOMENT))
        if self._loop.threads:
            self._loop.now += time.monotonic() - began
        elif not found:
            self._loop.now += timeout
        return found
