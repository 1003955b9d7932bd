"""The one way in which tests wait: look again and again until it is so, within a limit."""

from __future__ import annotations

import asyncio
import inspect
import time
from typing import TYPE_CHECKING, Any, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

INTERVAL_SECONDS = 0.05


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
    """What `predicate` returns, as soon as it is true or `until` finds it good; `timeout` is in seconds.

        eventually(lambda: pod("site-0").ready)
        eventually(pod_names, until=lambda names: len(names) == 50, timeout=60)
        await eventually(fetch_page, until=lambda page: "v2" in page)

    With `until` the failure shows what was seen instead of a bare False. An asynchronous predicate gives an
    awaitable. Exceptions of the predicate pass through.

    Raises:
        TimeoutError: it never became so; the message has the value last seen.
    """
    deadline = time.monotonic() + timeout
    value = predicate()
    if inspect.isawaitable(value):
        return _eventually_async(value, predicate, deadline, until)
    while not until(value):
        _check(deadline, value)
        time.sleep(INTERVAL_SECONDS)
        value = predicate()
    return value


async def _eventually_async(
    first: Awaitable[T], predicate: Callable[[], Awaitable[T]], deadline: float, until: Callable[[T], object]
) -> T:
    value = await first
    while not until(value):
        _check(deadline, value)
        await asyncio.sleep(INTERVAL_SECONDS)
        value = await predicate()
    return value


def _check(deadline: float, value: object) -> None:
    if time.monotonic() > deadline:
        raise TimeoutError(f"not so in time; last seen: {value!r}")
