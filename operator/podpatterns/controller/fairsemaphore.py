"""The fair semaphore: slots that are given out by the rules of the fair queue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

from podpatterns.controller.fairqueue import SHARE, FairQueue


class FairSemaphore:
    def __init__(self, slots: int, share: float = SHARE) -> None:
        self._waiting: FairQueue[asyncio.Event] = FairQueue(slots, share)

    @asynccontextmanager
    async def slot(self, tenant: Hashable) -> AsyncIterator[None]:
        """Wait for one of the slots and hold it."""
        turn = asyncio.Event()
        self._waiting.put(tenant, turn)
        self._hand_out()
        try:
            await turn.wait()
        except asyncio.CancelledError:
            if turn.is_set():  # in the same moment
                self._release(tenant)
            else:
                self._waiting.discard(tenant, turn)
            raise
        try:
            yield
        finally:
            self._release(tenant)

    def _release(self, tenant: Hashable) -> None:
        self._waiting.release(tenant)
        self._hand_out()

    def _hand_out(self) -> None:
        while turn := self._waiting.take():
            turn.set()
