"""Refused writes: when they are tried again."""

from __future__ import annotations

import logging

import pytest

from podpatterns.api.conditions import Reason
from podpatterns.controller.refusal import Refusal
from podpatterns.replicas.failure import Failure

REFUSED = Failure(Reason.FORBIDDEN, "exceeded quota")


def test_each_refusal_makes_the_next_try_wait_for_longer() -> None:
    refusal = Refusal()
    delays = [refusal.note(REFUSED, 1, now=0.0) for _ in range(4)]
    assert delays == sorted(set(delays))
    assert refusal.left(1, now=delays[-1] - 0.01) > 0
    assert refusal.left(1, now=delays[-1]) == 0


def test_the_server_may_ask_for_more_and_the_caller_for_less() -> None:
    assert Refusal().note(REFUSED, 1, now=0.0, at_least=7) == 7
    refusal = Refusal()
    assert max(refusal.note(REFUSED, 1, now=0.0, longest=5) for _ in range(30)) == 5


def test_a_corrected_object_need_not_wait() -> None:
    refusal = Refusal()
    first = refusal.note(REFUSED, 1, now=0.0)
    refusal.note(REFUSED, 1, now=0.0)
    assert refusal.left(2, now=0.0) == 0
    assert refusal.note(REFUSED, 2, now=0.0) == first


def test_success_ends_it() -> None:
    refusal = Refusal()
    refusal.note(REFUSED, 1, now=0.0, at_least=60)
    refusal.clear()
    assert (refusal.failure, refusal.left(1, now=0.0)) == (None, 0)


def test_it_is_logged_once_for_each_step_of_the_back_off(caplog: pytest.LogCaptureFixture) -> None:
    refusal, now, lines = Refusal(), 0.0, []
    for _ in range(30):
        caplog.clear()
        now += refusal.note(REFUSED, 1, now, longest=5)
        lines.append(len(caplog.records))
        assert all(
            r.levelno == logging.WARNING and r.__dict__["reason"] == "Forbidden" for r in caplog.records
        )
    assert lines[:8] == [1] * 8
    assert 1 <= sum(lines[8:]) <= 3, "at the longest back-off, of 5 s here, once a minute"
