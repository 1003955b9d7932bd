"""Rollouts are told at once, and answers that only turn are asked for more rarely."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice

from podpatterns.controller.pace import FIRST, LONGEST, STEADY, Pace


def pauses(rounds: Iterator[tuple[int, bool]]) -> Iterator[float]:
    """Of a pace, for each round what is lacking and whether the answers changed."""
    pace, now = Pace(), 1_000.0
    for lacking, changed in rounds:
        yield (pause := pace.next(lacking, changed=changed, now=now))
        now += pause


def test_the_same_answer_is_asked_for_more_rarely() -> None:
    assert list(islice(pauses((3, n == 0) for n in count()), 10)) == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]


def test_an_answer_that_always_differs_is_asked_for_more_rarely_as_well() -> None:
    found = list(islice(pauses((3, True) for _ in count()), 12))
    assert found[:7] == [1, 2, 4, 8, 16, 32, 64]
    # Once the pauses are long each answer has been steady for a while: five minutes have a few more rounds.
    assert min(found[7:]) == FIRST
    rounds = islice(pauses((3, True) for _ in count()), 1_000)
    assert sum(rounds) / 1_000 > 15


def test_pods_that_arrive_are_asked_for_at_once() -> None:
    rollout = [(lacking, True) for lacking in range(100, 0, -1)]
    assert set(pauses(iter(rollout))) == {FIRST}


def test_coming_nearer_counts_once() -> None:
    assert list(pauses(iter([(5, True), (4, True), (5, True), (4, True), (5, True), (3, True)]))) == [
        1,
        1,
        2,
        4,
        8,
        1,
    ]


def test_what_turns_after_a_steady_time_is_news() -> None:
    pace = Pace()
    pace.next(0, changed=True, now=0)
    found = [pace.next(0, changed=False, now=STEADY) for _ in range(10)]
    assert found[-1] == LONGEST
    assert pace.next(1, changed=True, now=STEADY) == FIRST
    assert pace.next(0, changed=True, now=STEADY + 1) == 2 * FIRST
