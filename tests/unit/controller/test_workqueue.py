"""The queue's contract: each key at most once, never in two hands, none forgotten."""

from __future__ import annotations

import asyncio

import pytest

from podpatterns.controller.backoff import FIRST, LONGEST, backoff
from podpatterns.controller.workqueue import WorkQueue


async def test_a_key_added_twice_comes_once() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a")
    queue.add("a")
    queue.add("b")
    assert [await queue.get(), await queue.get()] == ["a", "b"]
    assert len(queue) == 0


async def test_a_key_in_work_comes_again_only_when_done() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a")
    assert await queue.get() == "a"
    queue.add("a")
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    assert not waiting.done()
    queue.done("a")
    assert await waiting == "a"
    queue.done("a")
    assert len(queue) == 0


async def test_a_key_at_rest_comes_when_it_has_rested() -> None:
    queue: WorkQueue[str] = WorkQueue()
    loop = asyncio.get_running_loop()
    queue.add("a")
    assert await queue.get() == "a"
    queue.add("a")
    started = loop.time()
    queue.done("a", rest=0.05)
    queue.add("a")
    queue.add("b")
    assert [await queue.get(), await queue.get()] == ["b", "a"]
    assert loop.time() - started >= 0.05
    queue.done("a")
    assert len(queue) == 0


async def test_the_earlier_of_two_delays_counts() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add_after("a", 60)
    queue.add_after("a", 0.01)
    queue.add_after("a", 60)
    assert await asyncio.wait_for(queue.get(), 5) == "a"


async def test_adding_now_replaces_the_delay() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add_after("a", 0.01)
    queue.add("a")
    assert await queue.get() == "a"
    queue.done("a")
    queue.add_after("b", 0.02)
    assert await queue.get() == "b", "the timer of a was cancelled"


async def test_failures_wait_longer_each_time_until_a_success() -> None:
    queue: WorkQueue[str] = WorkQueue()
    loop = asyncio.get_running_loop()
    for failures in (1, 2, 3):
        started = loop.time()
        queue.add_failed("a")
        assert await queue.get() == "a"
        assert loop.time() - started >= backoff(failures) * 0.9
        queue.done("a")
    queue.succeeded("a")
    queue.add_failed("a")
    await asyncio.wait_for(queue.get(), backoff(3))


async def test_a_closed_queue_lets_everybody_go() -> None:
    queue: WorkQueue[str] = WorkQueue()
    waiting = [asyncio.create_task(get()) for get in (queue.get, queue.get, queue.get_unhurried)]
    await asyncio.sleep(0)
    queue.close()
    queue.add("a")
    assert await asyncio.gather(*waiting, queue.get()) == [None] * 4


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, FIRST), (2, 2 * FIRST), (50, LONGEST), (5000, LONGEST)]
)
def test_backoff(failures: int, seconds: float) -> None:
    assert backoff(failures) == seconds


async def test_the_longest_look_is_known() -> None:
    queue: WorkQueue[str] = WorkQueue()
    assert queue.longest == 0
    queue.add("a")
    assert await queue.get() == "a"
    assert queue.longest > 0
    queue.done("a")
    assert queue.longest == 0


async def test_what_has_time_stands_in_a_line_of_its_own() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add_unhurried("a")
    queue.add("b")
    assert await queue.get() == "b"
    assert await queue.get_unhurried() == "a"


async def test_a_key_that_hurries_leaves_the_other_line() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add_unhurried("a")
    queue.add("a")
    queue.add_unhurried("a")
    queue.add_unhurried("b")
    assert len(queue) == 2
    assert await queue.get_unhurried() == "b"
    assert await queue.get() == "a"
    assert len(queue) == 0


async def test_no_key_is_in_work_twice_whichever_its_line() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add_unhurried("a")
    queue.add("a")
    assert await queue.get() == "a"
    queue.add_unhurried("a")
    waiting = asyncio.create_task(queue.get_unhurried())
    await asyncio.sleep(0)
    assert not waiting.done()
    queue.done("a")
    assert await waiting == "a"
    queue.add("a")
    hurried = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    assert not hurried.done()
    queue.done("a")
    assert await hurried == "a"
    assert len(queue) == 0
