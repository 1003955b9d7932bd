"""The queue's contract under whatever callers do, in virtual time and against a model."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from podpatterns.controller.backoff import backoff
from podpatterns.controller.workqueue import TIMER_PERIOD, WorkQueue
from tests.unit.controller.virtualtime import VirtualTimeLoop

KEYS = st.sampled_from(["a1", "a2", "a3", "b1", "b2", "c1"])
WORKERS = 4
SLACK = 1e-6


class Machine(RuleBasedStateMachine):
    """Keys are a tenant's letter and a number."""

    @initialize()
    def begin(self) -> None:
        self.loop = VirtualTimeLoop()
        self.queue: WorkQueue[str] = WorkQueue(lambda key: key[0], WORKERS, WORKERS)
        self.urgent: set[str] = set()
        """Added as events and not handed out since."""
        self.low_priority: set[str] = set()
        """Added to the low-priority queue and not handed out since, nor in the first one."""
        self.later: set[str] = set()
        """Added for later, and not handed out since."""
        self.in_work: dict[str, bool] = {}
        """And whether it was handed out as urgent."""
        self.failures: Counter[str] = Counter()
        self.throttled: dict[str, float] = {}

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            self.drain()
            self.loop.close()

    @rule(key=KEYS)
    def add(self, key: str) -> None:
        self.call(self.queue.add, key)
        self.urgent.add(key)
        self.low_priority.discard(key)

    @rule(key=KEYS)
    def add_low_priority(self, key: str) -> None:
        self.call(self.queue.add_low_priority, key)
        if key not in self.urgent:
            self.low_priority.add(key)

    @rule(key=KEYS, seconds=st.sampled_from([-1.0, 0.0, 0.1, 0.5, 3.0]))
    def add_after(self, key: str, seconds: float) -> None:
        self.call(self.queue.add_after, key, seconds)
        self.later.add(key)

    @rule(key=KEYS)
    def add_failed(self, key: str) -> None:
        left = self.backoff_left(key)
        self.call(self.queue.add_failed, key)
        if left:
            assert abs(self.backoff_left(key) - left) < SLACK
        else:
            self.failures[key] += 1
            assert abs(self.backoff_left(key) - backoff(self.failures[key])) < SLACK

    @rule(key=KEYS)
    def succeeded(self, key: str) -> None:
        self.call(self.queue.succeeded, key)
        self.failures.pop(key, None)
        assert self.backoff_left(key) == 0

    @rule(key=KEYS)
    def forget(self, key: str) -> None:
        self.call(self.queue.forget, key)
        for known in (self.urgent, self.low_priority, self.later):
            known.discard(key)
        self.failures.pop(key, None)

    @rule()
    def get(self) -> None:
        self.take(urgent=True)

    @rule()
    def get_low_priority(self) -> None:
        self.take(urgent=False)

    @precondition(lambda self: self.in_work)
    @rule(data=st.data(), throttle=st.sampled_from([0.0, 0.0, 0.2]))
    def done(self, data: st.DataObject, throttle: float) -> None:
        key = data.draw(st.sampled_from(sorted(self.in_work)))
        self.finish(key, throttle)

    @rule(seconds=st.sampled_from([0.01, 0.3, 1.0, 5.0]))
    def wait(self, seconds: float) -> None:
        self.loop.run_until_complete(asyncio.sleep(seconds))

    @invariant()
    def nobody_has_more_than_a_share(self) -> None:
        for urgent in (True, False):
            tenants = Counter(key[0] for key, queue in self.in_work.items() if queue is urgent)
            assert all(held < WORKERS for held in tenants.values())

    def take(self, *, urgent: bool) -> str | None:
        key = self.loop.run_until_complete(self.one(urgent=urgent))
        if key is None:
            return None
        assert key not in self.in_work, "in two hands"
        assert self.throttled.get(key, 0) <= self.loop.now + SLACK, "handed out while at throttle"
        self.in_work[key] = urgent
        if not urgent:
            assert key in self.low_priority
            self.low_priority.discard(key)
            return key
        for known in (self.urgent, self.low_priority, self.later):
            known.discard(key)
        return key

    async def one(self, *, urgent: bool) -> str | None:
        """Return the key that may be had at once, or None."""
        getting = asyncio.create_task(self.queue.get() if urgent else self.queue.get_low_priority())
        for _ in range(3):
            await asyncio.sleep(0)
        if getting.done():
            return await getting
        getting.cancel()
        await asyncio.wait([getting])
        return None

    def finish(self, key: str, throttle: float = 0) -> None:
        self.call(self.queue.done, key, throttle)
        del self.in_work[key]
        if throttle:
            self.throttled[key] = self.loop.now + throttle

    def drain(self) -> None:
        """In the end everything that was asked for has come, and nothing is kept."""
        for _ in range(5):
            while self.in_work or self.take(urgent=True) or self.take(urgent=False):
                for key in list(self.in_work):
                    self.finish(key)
            self.loop.run_until_complete(asyncio.sleep(30))
        assert not self.urgent | self.low_priority | self.later
        assert not any(map(self.backoff_left, self.failures))
        assert len(self.queue) == 0
        kept = (self.queue._working, self.queue._throttled, self.queue._timers, self.queue._fired)
        assert kept == ({}, {}, {}, {})

    def backoff_left(self, key: str) -> float:
        failed = self.queue._failures.get(key)
        return max(0.0, failed.retry.when() - self.loop.time()) if failed and failed.retry else 0.0

    def call(self, function: object, *arguments: object) -> None:
        async def called() -> None:
            function(*arguments)  # type: ignore[operator]

        self.loop.run_until_complete(called())


class TestMachine(Machine.TestCase):  # type: ignore[misc, valid-type]
    settings = settings(max_examples=settings().max_examples * 3 // 5, stateful_step_count=50)


Reconcile = tuple[list[float], bool, float]
"""Its waits, whether the low-priority queue is to have the key, and how long the key is throttled."""
WAITS = st.sampled_from([-5.0, 0.0, 0.001, 0.3, 0.999, 2.0])
RECONCILES = st.tuples(st.lists(WAITS, min_size=1, max_size=3), st.booleans(), st.sampled_from([0.0, 0.1]))


@given(st.lists(RECONCILES, min_size=2, max_size=20))
def test_whatever_waits_are_asked_for_timers_come_once_a_second(reconciles: list[Reconcile]) -> None:
    async def scenario() -> None:
        queue: WorkQueue[str] = WorkQueue(lambda _: "all", 1, 1)
        loop = asyncio.get_running_loop()
        queue.add_after("a", 0)
        came = []
        for waits, untold, throttle in reconciles:
            assert await queue.get() == "a"
            came.append(loop.time())
            for wait in waits:
                queue.add_after("a", wait)
            if untold:
                queue.add_low_priority("a")
            queue.done("a", throttle)
        assert all(later - earlier >= TIMER_PERIOD - SLACK for earlier, later in pairwise(came))

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(scenario())
