from __future__ import annotations

import pytest

from testbed.eventually import eventually


def test_it_looks_until_the_predicate_is_true() -> None:
    values = iter([0, "", [], "here"])
    assert eventually(lambda: next(values)) == "here"


def test_it_looks_until_the_value_is_good() -> None:
    values = iter(range(10))
    assert eventually(lambda: next(values), until=lambda value: value > 3) == 4


async def test_the_predicate_may_be_asynchronous() -> None:
    values = iter(range(10))

    async def look() -> int:
        return next(values)

    assert await eventually(look, until=lambda value: value > 3) == 4


def test_a_failure_shows_what_was_last_seen() -> None:
    with pytest.raises(TimeoutError, match=r"last seen: \['site-0'\]"):
        eventually(lambda: ["site-0"], until=lambda names: len(names) == 2, timeout=0.1)


async def test_an_asynchronous_failure_shows_what_was_last_seen() -> None:
    async def look() -> str:
        return "Pending"

    with pytest.raises(TimeoutError, match="last seen: 'Pending'"):
        await eventually(look, until=lambda phase: phase == "Running", timeout=0.1)


def test_an_error_of_the_predicate_passes_through() -> None:
    def look() -> bool:
        raise KeyError("status")

    with pytest.raises(KeyError, match="status"):
        eventually(look)
