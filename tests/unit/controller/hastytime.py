"""An event loop whose time passes faster than ours, for tests that wait and speak over real sockets."""

from __future__ import annotations

import asyncio
import selectors

SPEED = 5.0
"""Seconds of the loop in one of ours."""


class HastyLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        super().__init__(_Shortening())

    def time(self) -> float:
        return SPEED * super().time()


class _Shortening(selectors.DefaultSelector):
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(timeout and timeout / SPEED)
