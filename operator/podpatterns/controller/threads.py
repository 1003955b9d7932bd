"""Work that takes long, done in a thread: the event loop goes on meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

LONG_BYTES = 50_000
"""Of JSON, from which on something is read or made in a thread: it takes some 10 ms."""


async def off_the_loop(size: int, long: int, function: Callable[..., T], *arguments: Any, **more: Any) -> T:
    """Return what a pure function returns; it runs in a thread where it would hold up the event loop."""
    if size > long:
        return await asyncio.to_thread(function, *arguments, **more)
    return function(*arguments, **more)
