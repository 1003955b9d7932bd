"""Polls the helpers in Pods, straight at their addresses as Prometheus does, and keeps their last answers.

All targets of an object are polled in one round. The next round comes after a pause that grows unless the
answers get better. The API server has no part in this, and only an answer that differs is news.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Generic, TypeVar

import aiohttp

from podpatterns.controller.endpoint import Unreachable, new_session, read_endpoint
from podpatterns.controller.fairsemaphore import FairSemaphore
from podpatterns.controller.key import Key
from podpatterns.controller.pace import FIRST, Pace
from podpatterns.controller.workqueue import WorkQueue
from podpatterns.replicas.endpoint import Endpoint, Targets

POLLS = 32
"""Under way at once, and rounds as well: Pods that do not answer must not keep those waiting that do."""

T = TypeVar("T")
"""Tells the targets of an object apart."""
A = TypeVar("A")
"""The answer of a target."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Poll(Generic[T, A]):
    """The state of polling one object."""

    targets: Targets[T]
    answers: Mapping[T, A] | None = None
    """None before the end of the first round."""
    pace: Pace = field(default_factory=Pace)


class Poller(Generic[T, A]):
    """`changed` gets the keys of the objects whose answers have changed.

    `read` makes an answer of what is served at a path, `unreachable` makes one of the reason why nothing is.
    `lacking` tells how far a target is from the configuration with that hash: 0 where nothing is lacking.
    With `until_current`, targets where nothing is lacking are polled no more. `keep` bounds the answers of
    an object.
    """

    def __init__(
        self,
        changed: Callable[[Iterable[Key]], None],
        *,
        read: Callable[[bytes, str], A],
        unreachable: Callable[[str], A],
        lacking: Callable[[str, A | None], int],
        until_current: bool,
        keep: Callable[[Mapping[T, A]], Mapping[T, A]] = dict,
    ) -> None:
        self._changed = changed
        self._read = read
        self._unreachable = unreachable
        self._lacking = lacking
        self._until_current = until_current
        self._keep = keep
        self._polls: dict[Key, Poll[T, A]] = {}
        self._queue: WorkQueue[Key] = WorkQueue(attrgetter("namespace"), POLLS)
        self._turns = FairSemaphore(POLLS)

    def answers(self, key: Key) -> Mapping[T, A] | None:
        """Return the last answers; None before the end of the first round."""
        poll = self._polls.get(key)
        return poll.answers if poll else None

    def subscribe(self, key: Key, targets: Targets[T] | None) -> None:
        """Poll these targets of an object from now on; None ends it."""
        poll = self._polls.get(key)
        if targets is None:
            self._polls.pop(key, None)
            self._queue.forget(key)
            return
        if poll is None:
            self._polls[key] = Poll(targets)
        elif poll.targets != targets:
            poll.targets, poll.pace = targets, Pace()
            if poll.answers is not None:
                poll.answers = _of(targets, poll.answers)
        else:
            return
        # A moment later: where one Pod has come more will come.
        self._queue.add_after(key, FIRST)

    async def run(self) -> None:
        """Poll, for ever."""
        async with new_session() as session, asyncio.TaskGroup() as tasks:
            for _ in range(POLLS):
                tasks.create_task(self._work(session))

    async def _work(self, session: aiohttp.ClientSession) -> None:
        while (key := await self._queue.get()) is not None:
            try:
                await self._round(session, key)
            except Exception:
                # One Pod's surprise must not end the polls of all others.
                log.exception("Poll failed unexpectedly", extra={"key": key})
                self._queue.add_failed(key)
            else:
                self._queue.succeeded(key)
            finally:
                self._queue.done(key)

    async def _round(self, session: aiohttp.ClientSession, key: Key) -> None:
        poll = self._polls.get(key)
        if poll is None:
            return
        before = poll.answers
        fresh = await self._poll_all(session, key, poll)
        if self._polls.get(key) is not poll:
            return  # ended meanwhile
        # The targets may be others by now.
        poll.answers = answers = self._keep(_of(poll.targets, {**(poll.answers or {}), **fresh}))
        changed = answers != before
        if changed:
            self._changed([key])
        lacking = sum(self._lacking(e.hash, answers.get(target)) for target, e in poll.targets.endpoints())
        pause = poll.pace.next(lacking, changed=changed, now=time.monotonic())
        if lacking or not self._until_current:
            self._queue.add_after(key, pause)

    async def _poll_all(self, session: aiohttp.ClientSession, key: Key, poll: Poll[T, A]) -> dict[T, A]:
        """Return the answers of a round. Thousands of Pods get no more tasks than can poll at once."""
        before = poll.answers or {}
        todo = [
            (target, endpoint)
            for target, endpoint in poll.targets.endpoints()
            if not self._until_current or self._lacking(endpoint.hash, before.get(target))
        ]
        rest = iter(todo)
        answers: dict[T, A] = {}
        surprises: list[Exception] = []

        async def work() -> None:
            for target, endpoint in rest:
                if surprises or self._polls.get(key) is not poll:
                    return
                async with self._turns.slot(key.namespace):
                    try:
                        answers[target] = await self._answer(session, endpoint)
                    except Exception as surprise:
                        surprises.append(surprise)

        # No task may raise: a group (3.11) whose task fails at the moment of its own cancellation raises only
        # the failure, and whoever catches that goes on for ever.
        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(POLLS, len(todo))):
                tasks.create_task(work())
        if surprises:
            raise surprises[0]
        return answers

    async def _answer(self, session: aiohttp.ClientSession, endpoint: Endpoint) -> A:
        try:
            served = await read_endpoint(session, endpoint)
        except Unreachable as why:
            return self._unreachable(str(why))
        return self._read(served, endpoint.path)


def _of(targets: Targets[T], answers: Mapping[T, A]) -> dict[T, A]:
    """Return the answers of these targets."""
    return {target: answers[target] for target, _ in targets.endpoints() if target in answers}
