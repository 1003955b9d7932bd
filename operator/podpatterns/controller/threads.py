"""Threads for long computations: the event loop goes on meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

LONG_BYTES = 50_000
"""Bytes of JSON from which on a computation runs in a thread: it takes some 10 ms."""


async def off_the_loop(size: int, long: int, function: Callable[..., T], *arguments: Any, **more: Any) -> T:
    """Return the result of a pure function, run in a thread if `size` exceeds `long`."""
    if size > long:
        return await asyncio.to_thread(function, *arguments, **more)
    return function(*arguments, **more)
