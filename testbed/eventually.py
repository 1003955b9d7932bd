"""The one way in which tests wait: poll until it is so, within a limit."""

from __future__ import annotations

import asyncio
import inspect
import time
from typing import TYPE_CHECKING, Any, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

SHORTEST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 1.0


@overload
def eventually(
    predicate: Callable[[], Awaitable[T]], timeout: float = 30, *, until: Callable[[T], object] = bool
) -> Awaitable[T]: ...
@overload
def eventually(
    predicate: Callable[[], T], timeout: float = 30, *, until: Callable[[T], object] = bool
) -> T: ...
def eventually(
    predicate: Callable[[], Any], timeout: float = 30, *, until: Callable[[Any], object] = bool
) -> Any:
    """Return the value of `predicate` as soon as it, or `until` of it, is true; `timeout` is in seconds.

        eventually(lambda: pod("site-0").ready)
        eventually(pod_names, until=lambda names: len(names) == 50, timeout=60)
        await eventually(fetch_page, until=lambda page: "v2" in page)

    With `until` the failure shows what was seen instead of a bare False. An asynchronous predicate gives an
    awaitable. Exceptions of the predicate pass through.

    Raises:
        TimeoutError: it never became so; the message has the value last seen.
    """
    timeouts = _Patience(timeout)
    value = predicate()
    if inspect.isawaitable(value):
        return _eventually_async(value, predicate, until, timeouts)
    while not until(value):
        time.sleep(timeouts.pause(value))
        value = predicate()
    return value


async def _eventually_async(
    first: Awaitable[T],
    predicate: Callable[[], Awaitable[T]],
    until: Callable[[T], object],
    timeouts: _Patience,
) -> T:
    value = await first
    while not until(value):
        await asyncio.sleep(timeouts.pause(value))
        value = await predicate()
    return value


class _Patience:
    """Seconds until the next poll: a tenth of the time so far, as polling isn't free."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._started = time.monotonic()

    def pause(self, value: object) -> float:
        waited = time.monotonic() - self._started
        if waited > self._timeout:
            raise TimeoutError(f"not so after {waited:.1f} s; last seen: {value!r}")
        return min(max(waited / 10, SHORTEST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
