"""An event loop in a thread of its own, for what goes on beside a test."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Self

from testbed.eventually import eventually

if TYPE_CHECKING:
    from types import TracebackType


class LoopThread(ABC):
    """A context manager: inside, `_serve` runs and has said that it is ready."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=[self._run()])

    @abstractmethod
    async def _serve(self) -> None:
        """Sets `_ready` when all is up, and ends soon after `_stop` is set."""

    def __enter__(self) -> Self:
        self._thread.start()
        eventually(lambda: self._ready.is_set() or self._failure)
        self._check()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    def _check(self) -> None:
        """Raises what ended it, if anything did."""
        if self._failure:
            raise self._failure

    async def _run(self) -> None:
        try:
            await self._serve()
        except Exception as error:
            self._failure = error
        for _ in range(3):
            # Transports that were closed at the end, as in the middle of a handshake, go in the next turns.
            await asyncio.sleep(0)
