"""The fair queue: turns by tenant, seats by share, and nothing kept of tenants that are gone."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from podpatterns.controller.fairqueue import SHARE, FairQueue

Item = tuple[str, int]


def filled(seats: int, **items: int) -> FairQueue[Item]:
    """So many items of each tenant, one tenant after another."""
    queue: FairQueue[Item] = FairQueue(seats)
    for tenant, count in items.items():
        for number in range(count):
            queue.put(tenant, (tenant, number))
    return queue


def taken(queue: FairQueue[Item]) -> list[Item]:
    """All that may be had at once."""
    found = []
    while item := queue.take():
        found.append(item)
    return found


def test_a_tenant_waits_for_one_item_of_another() -> None:
    queue = filled(1, big=10_000, small=2)
    order = []
    for _ in range(5):
        [item] = taken(queue)
        order.append(item)
        queue.release(item[0])
    assert order == [("big", 0), ("small", 0), ("big", 1), ("small", 1), ("big", 2)]


@pytest.mark.parametrize(("seats", "alone"), [(1, 1), (2, 1), (4, 3), (16, 12), (32, 24)])
def test_a_tenant_alone_leaves_seats_free(seats: int, alone: int) -> None:
    queue = filled(seats, big=100)
    assert len(taken(queue)) == alone
    queue.put("small", ("small", 0))
    if seats > 1:
        assert taken(queue) == [("small", 0)]


def test_shares_even_out_as_work_ends() -> None:
    queue = filled(16, big=100)
    taken(queue)
    for number in range(100):
        queue.put("late", ("late", number))
    held = {"big": 12, "late": len(taken(queue))}
    for _ in range(12):
        queue.release("big")
        held["big"] -= 1
        for tenant, _ in taken(queue):
            held[tenant] += 1
    assert abs(held["big"] - held["late"]) <= 1


def test_an_item_that_is_there_keeps_its_place() -> None:
    queue = filled(4, a=2)
    queue.put("a", ("a", 0))
    queue.discard("a", ("a", 1))
    queue.discard("a", ("a", 7))
    queue.discard("nobody", ("nobody", 0))
    assert taken(queue) == [("a", 0)]


class Machine(RuleBasedStateMachine):
    """Against a model that keeps everything and searches."""

    tenants = st.sampled_from("abcd")

    @initialize(seats=st.integers(1, 9))
    def begin(self, seats: int) -> None:
        self.seats = seats
        self.queue: FairQueue[Item] = FairQueue(seats)
        self.waiting: defaultdict[str, list[Item]] = defaultdict(list)
        self.held: defaultdict[str, int] = defaultdict(int)
        self.passed: defaultdict[str, int] = defaultdict(int)
        """How often others were served since the tenant had a right to be."""
        self.number = 0

    @rule(tenant=tenants)
    def put(self, tenant: str) -> None:
        self.number += 1
        self.waiting[tenant].append((tenant, self.number))
        self.queue.put(tenant, (tenant, self.number))

    @rule(tenant=tenants, index=st.integers(0, 5))
    def discard(self, tenant: str, index: int) -> None:
        if index < len(self.waiting[tenant]):
            self.queue.discard(tenant, self.waiting[tenant].pop(index))
            self.passed[tenant] *= bool(self.waiting[tenant])

    @rule()
    def take(self) -> None:
        able = {tenant for tenant in "abcd" if self.waiting[tenant] and self.may_take(tenant)}
        item = self.queue.take()
        if item is None:
            assert not able
            return
        tenant = item[0]
        assert tenant in able
        assert item == self.waiting[tenant].pop(0)
        self.held[tenant] += 1
        self.passed[tenant] = 0
        for other in able - {tenant}:
            self.passed[other] += 1
            assert self.passed[other] < 4, "each tenant has its turn before another has a second one"

    @precondition(lambda self: any(self.held.values()))
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        tenant = data.draw(st.sampled_from([tenant for tenant, held in self.held.items() if held]))
        self.held[tenant] -= 1
        self.queue.release(tenant)

    def may_take(self, tenant: str) -> bool:
        return self.held[tenant] <= SHARE * (self.seats - sum(self.held.values()) - 1)

    @invariant()
    def seats_suffice(self) -> None:
        assert sum(self.held.values()) <= self.seats

    @invariant()
    def nothing_is_kept_of_the_absent(self) -> None:
        assert set(self.queue._lines) == {tenant for tenant, items in self.waiting.items() if items}
        assert set(self.queue._held) == {tenant for tenant, held in self.held.items() if held}


class TestMachine(Machine.TestCase):  # type: ignore[misc, valid-type]
    settings = settings(max_examples=settings().max_examples * 3 // 5, stateful_step_count=50)
