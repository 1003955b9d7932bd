"""The queue's contract: each key at most once, never in two hands, none forgotten."""

from __future__ import annotations

import asyncio
from itertools import count, pairwise

import pytest

from podpatterns.controller.backoff import FIRST, LONGEST, backoff
from podpatterns.controller.workqueue import TIMER_PERIOD, WorkQueue
from tests.unit.controller.virtualtime import in_virtual_time


def one_tenant() -> WorkQueue[str]:
    return WorkQueue(lambda _: "all", workers=8, low_priority_workers=8)


async def test_a_key_added_twice_comes_once() -> None:
    queue = one_tenant()
    queue.add("a")
    queue.add("a")
    queue.add("b")
    assert [await queue.get(), await queue.get()] == ["a", "b"]
    assert len(queue) == 0


async def test_a_key_in_work_comes_again_only_when_done() -> None:
    queue = one_tenant()
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


async def test_the_event_loop_has_its_turn_between_two_keys() -> None:
    """Also where there is a key for every worker, and none of them ever waits for anything."""
    queue, turns, taken = one_tenant(), count(), list[int]()

    async def work() -> None:
        for _ in range(10):
            key = await queue.get()
            assert key
            taken.append(next(turns))
            queue.done(key)

    async def others() -> None:
        while True:
            await asyncio.sleep(0)
            next(turns)

    for n in range(30):
        queue.add(f"key-{n}")
    other = asyncio.create_task(others())
    await asyncio.gather(work(), work(), work())
    other.cancel()
    assert all(later - earlier > 1 for earlier, later in pairwise(taken))


async def test_a_throttled_key_comes_when_its_throttle_ends() -> None:
    queue = one_tenant()
    loop = asyncio.get_running_loop()
    queue.add("a")
    assert await queue.get() == "a"
    queue.add("a")
    started = loop.time()
    queue.done("a", throttle=0.05)
    queue.add("a")
    queue.add("b")
    assert [await queue.get(), await queue.get()] == ["b", "a"]
    assert loop.time() - started >= 0.05
    queue.done("a")
    assert len(queue) == 0


async def test_the_earlier_of_two_delays_counts() -> None:
    queue = one_tenant()
    queue.add_after("a", 60)
    queue.add_after("a", 0.01)
    queue.add_after("a", 60)
    assert await asyncio.wait_for(queue.get(), 5) == "a"


async def test_adding_now_replaces_the_delay() -> None:
    queue = one_tenant()
    queue.add_after("a", 0.01)
    queue.add("a")
    assert await queue.get() == "a"
    queue.done("a")
    queue.add_after("b", 0.02)
    assert await queue.get() == "b", "the timer of a was cancelled"


async def test_failures_wait_longer_each_time_until_a_success() -> None:
    queue = one_tenant()
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
    queue = one_tenant()
    waiting = [asyncio.create_task(get()) for get in (queue.get, queue.get, queue.get_low_priority)]
    await asyncio.sleep(0)
    queue.close()
    queue.add("a")
    assert await asyncio.gather(*waiting, queue.get()) == [None] * 4


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, FIRST), (2, 2 * FIRST), (50, LONGEST), (5000, LONGEST)]
)
def test_backoff(failures: int, seconds: float) -> None:
    assert backoff(failures) == seconds


async def test_the_longest_reconcile_is_known() -> None:
    queue = one_tenant()
    assert queue.longest == 0
    queue.add("a")
    assert await queue.get() == "a"
    assert queue.longest > 0
    queue.done("a")
    assert queue.longest == 0


async def test_low_priority_keys_have_a_queue_of_their_own() -> None:
    queue = one_tenant()
    queue.add_low_priority("a")
    queue.add("b")
    assert await queue.get() == "b"
    assert await queue.get_low_priority() == "a"


async def test_a_key_that_becomes_urgent_leaves_the_low_priority_queue() -> None:
    queue = one_tenant()
    queue.add_low_priority("a")
    queue.add("a")
    queue.add_low_priority("a")
    queue.add_low_priority("b")
    assert len(queue) == 2
    assert await queue.get_low_priority() == "b"
    assert await queue.get() == "a"
    assert len(queue) == 0


async def test_no_key_is_in_work_twice_whichever_its_queue() -> None:
    queue = one_tenant()
    queue.add_low_priority("a")
    queue.add("a")
    assert await queue.get() == "a"
    queue.add_low_priority("a")
    waiting = asyncio.create_task(queue.get_low_priority())
    await asyncio.sleep(0)
    assert not waiting.done()
    queue.done("a")
    assert await waiting == "a"
    queue.add("a")
    urgent = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    assert not urgent.done()
    queue.done("a")
    assert await urgent == "a"
    assert len(queue) == 0


def by_letter(workers: int) -> WorkQueue[str]:
    """Keys are a tenant's letter and a number."""
    return WorkQueue(lambda key: key[0], workers, workers)


@pytest.mark.parametrize("priority", ["urgent", "low"])
async def test_ten_thousand_keys_of_one_tenant_delay_another_by_one(priority: str) -> None:
    queue = by_letter(1)
    add, get = (
        (queue.add, queue.get) if priority == "urgent" else (queue.add_low_priority, queue.get_low_priority)
    )
    for number in range(10_000):
        add(f"a{number}")
    add("b")
    came = []
    for _ in range(3):
        key = await get()
        assert key is not None
        came.append(key)
        queue.done(key)
    assert came == ["a0", "b", "a1"]


@pytest.mark.parametrize("priority", ["urgent", "low"])
async def test_one_tenant_cannot_take_all_workers(priority: str) -> None:
    queue = by_letter(4)
    add, get = (
        (queue.add, queue.get) if priority == "urgent" else (queue.add_low_priority, queue.get_low_priority)
    )
    for number in range(100):
        add(f"a{number}")
    assert [await get() for _ in range(3)] == ["a0", "a1", "a2"]
    fourth = asyncio.create_task(get())
    await asyncio.sleep(0)
    assert not fourth.done()
    add("b")
    assert await fourth == "b"
    queue.done("b")
    last = asyncio.create_task(get())
    await asyncio.sleep(0)
    assert not last.done(), "the last free worker is for whoever comes next"
    queue.done("a0")
    assert await last == "a3"


@in_virtual_time
async def test_timers_without_an_event_come_once_a_second() -> None:
    """A wait worked out as negative was seen to make 7,688 reconciles a second."""
    queue, loop = one_tenant(), asyncio.get_running_loop()
    queue.add("a")
    came = []
    while loop.time() < 10:
        key = await queue.get()
        assert key == "a"
        came.append(loop.time())
        queue.add_after("a", -1)
        queue.done("a")
    assert came[:4] == [0, 0, TIMER_PERIOD, 2 * TIMER_PERIOD]
    assert len(came) <= 12


@in_virtual_time
async def test_a_timer_that_also_goes_through_the_other_queue_is_one_of_them() -> None:
    queue, loop = one_tenant(), asyncio.get_running_loop()
    queue.add_after("a", 0)
    for second in range(5):
        assert await queue.get() == "a"
        assert loop.time() == second
        queue.add_low_priority("a")
        queue.done("a", throttle=0.1)
        assert await queue.get_low_priority() == "a"
        queue.add_after("a", 0)
        queue.done("a")


@in_virtual_time
async def test_the_first_timer_after_an_event_is_exact() -> None:
    queue, loop = one_tenant(), asyncio.get_running_loop()
    queue.add_after("a", 0.25)
    assert await queue.get() == "a"
    assert loop.time() == 0.25
    queue.add("a")
    queue.done("a")
    assert await queue.get() == "a"
    queue.add_after("a", 0.25)
    queue.done("a")
    assert await queue.get() == "a"
    assert loop.time() == 0.5


@in_virtual_time
async def test_a_timer_long_after_the_last_one_is_exact() -> None:
    queue, loop = one_tenant(), asyncio.get_running_loop()
    queue.add_after("a", 0)
    assert await queue.get() == "a"
    queue.add_after("a", 7.5)
    queue.done("a")
    assert await queue.get() == "a"
    assert loop.time() == 7.5
    queue.done("a")
    queue.add_after("a", 0)
    assert await queue.get() == "a"
    assert loop.time() == 7.5, "it was done with"


@in_virtual_time
async def test_events_bring_a_failed_key_at_once_and_leave_its_backoff_alone() -> None:
    queue, loop = one_tenant(), asyncio.get_running_loop()
    queue.add_failed("a")
    for moment in (0.01, 0.02):
        await asyncio.sleep(0.01)
        queue.add("a")
        assert await queue.get() == "a"
        assert loop.time() == pytest.approx(moment)
        queue.add_failed("a")
        queue.done("a")
    for due in (FIRST, FIRST + 2 * FIRST, FIRST + 2 * FIRST + 4 * FIRST):
        assert await queue.get() == "a"
        assert loop.time() == pytest.approx(due)
        queue.add_failed("a")
        queue.done("a")


@in_virtual_time
async def test_a_success_ends_the_backoff() -> None:
    queue, loop = one_tenant(), asyncio.get_running_loop()
    queue.add_failed("a")
    queue.succeeded("a")
    queue.add_after("a", 5)
    assert await queue.get() == "a"
    assert loop.time() == 5
    queue.add_failed("a")
    queue.done("a")
    assert await queue.get() == "a"
    assert loop.time() == pytest.approx(5 + FIRST), "the back-off began anew"


@in_virtual_time
async def test_a_forgotten_key_does_not_come() -> None:
    queue = one_tenant()
    queue.add("a")
    queue.add_after("b", 1)
    queue.add_failed("c")
    queue.add_low_priority("d")
    queue.add("e")
    assert [await queue.get(), await queue.get()] == ["a", "e"]
    queue.add("a")
    for key in "abcd":
        queue.forget(key)
    queue.done("a")
    queue.done("e")
    queue.add_after("later", 100)
    assert await queue.get() == "later"
    assert len(queue) == 0
