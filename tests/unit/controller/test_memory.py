"""What is remembered between two looks."""

from __future__ import annotations

from itertools import islice

from podpatterns.controller.memory import Memory
from podpatterns.replicas.status import Failure

REFUSED = Failure("Forbidden", "exceeded quota")


def test_names_not_confirmed_are_tried_again_first() -> None:
    memory = Memory("uid")
    first = list(islice(memory.fresh_names("site"), 2))
    assert all(name.startswith("site-") for name in first)
    assert list(islice(memory.fresh_names("site"), 3))[:2] == first
    memory.names = [n for n in memory.names if n != first[0]]
    assert next(memory.fresh_names("site")) == first[1]


def test_a_refusal_holds_creations_for_longer_each_time() -> None:
    memory = Memory("uid")
    delays = [memory.hold(REFUSED, 1, now=0.0, at_least=0) for _ in range(4)]
    assert delays == sorted(set(delays))
    assert memory.held(1, now=delays[-1] - 0.01) > 0
    assert memory.held(1, now=delays[-1]) == 0


def test_the_server_may_ask_for_more() -> None:
    assert Memory("uid").hold(REFUSED, 1, now=0.0, at_least=7) == 7


def test_a_corrected_object_need_not_wait() -> None:
    memory = Memory("uid")
    first = memory.hold(REFUSED, 1, now=0.0, at_least=0)
    memory.hold(REFUSED, 1, now=0.0, at_least=0)
    assert memory.held(2, now=0.0) == 0
    assert memory.hold(REFUSED, 2, now=0.0, at_least=0) == first


def test_success_ends_it() -> None:
    memory = Memory("uid")
    memory.hold(REFUSED, 1, now=0.0, at_least=60)
    memory.well()
    assert (memory.failure, memory.held(1, now=0.0)) == (None, 0)
