"""The fair semaphore: limits, turns and cancellations."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podpatterns.controller.fairqueue import SHARE
from podpatterns.controller.fairsemaphore import FairSemaphore


class Room:
    """People inside by tenant, in the order in which they came."""

    def __init__(self, slots: int, share: float = SHARE) -> None:
        self.semaphore = FairSemaphore(slots, share)
        self.came: list[str] = []
        self.inside: Counter[str] = Counter()
        self.leave = asyncio.Event()

    async def visit(self, tenant: str) -> None:
        async with self.semaphore.slot(tenant):
            self.came.append(tenant)
            self.inside[tenant] += 1
            try:
                await self.leave.wait()
            finally:
                self.inside[tenant] -= 1


async def settle() -> None:
    """Let every task go on until it waits."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_one_tenant_never_has_all_slots() -> None:
    room = Room(4)
    async with asyncio.TaskGroup() as tasks:
        for tenant in ["big"] * 50 + ["small"]:
            tasks.create_task(room.visit(tenant))
        await settle()
        assert room.inside == {"big": 3, "small": 1}
        room.leave.set()
    assert room.inside.total() == 0


async def test_a_tenant_may_be_given_less() -> None:
    room = Room(8, share=1 / 3)
    async with asyncio.TaskGroup() as tasks:
        for tenant in ["big"] * 50 + ["small"] * 2 + ["smaller"]:
            tasks.create_task(room.visit(tenant))
        await settle()
        assert room.inside == {"big": 2, "small": 2, "smaller": 1}
        room.leave.set()


async def test_those_who_wait_come_in_turns() -> None:
    room = Room(1)
    async with asyncio.TaskGroup() as tasks:
        for tenant in ["first"] + ["big"] * 3 + ["small"] * 2:
            tasks.create_task(room.visit(tenant))
        await settle()
        assert room.came == ["first"]
        room.leave.set()
    assert room.came == ["first", "big", "small", "big", "small", "big"]


@pytest.mark.parametrize("turn_has_come", [False, True])
async def test_who_is_cancelled_gives_its_turn_on(*, turn_has_come: bool) -> None:
    room = Room(1)
    async with room.semaphore.slot("first"):
        second = asyncio.create_task(room.visit("second"))
        await settle()
        if not turn_has_come:
            second.cancel()
    second.cancel()
    await asyncio.wait([second])
    assert second.cancelled()
    assert room.came == []
    async with asyncio.timeout(5), room.semaphore.slot("third"):
        pass


@given(
    slots=st.integers(1, 5),
    steps=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["come", "cancel"]), st.integers(0, 3))),
)
def test_whoever_is_cancelled_no_slot_is_lost(slots: int, steps: list[tuple[str, str, int]]) -> None:
    async def scenario() -> None:
        room = Room(slots)
        tasks: list[asyncio.Task[None]] = []
        for number, (tenant, step, pauses) in enumerate(steps):
            if step == "come":
                tasks.append(asyncio.create_task(room.visit(tenant)))
            elif tasks:
                tasks[number % len(tasks)].cancel()
            for _ in range(pauses):
                await asyncio.sleep(0)
            assert room.inside.total() <= slots
        room.leave.set()
        if tasks:
            await asyncio.wait(tasks, timeout=5)
        assert all(task.done() for task in tasks)
        room.leave.clear()
        after = [asyncio.create_task(room.visit(str(number))) for number in range(slots)]
        await settle()
        assert room.inside.total() == slots
        room.leave.set()
        await asyncio.wait(after)

    asyncio.run(scenario())
