"""Text for people keeps to its length and its line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podpatterns.api.text import listed, shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('as it is: "x", äö', 'as it is: "x", äö'),
        ("two\nlines\t and  spaces ", "two lines and spaces"),
        ("\x1b[31mred\x07\x7f\u202e", "\\x1b[31mred\\x07\\x7f\\u202e"),
        ("half a pair \ud800", "half a pair \\ud800"),
        ("1" * 30, "1" * 30),
        ("1" * 31, "1" * 27 + "…"),
        ("ä" * 16, "ä" * 13 + "…"),
    ],
)
def test_shown(text: str, expected: str) -> None:
    assert shown(text, 30) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("haproxy -c: one\n  two\tthree\u2028four", "haproxy -c: one two three four"),
        ("Grüße, 世界, \u05e9\u05dc\u05d5\u05dd", "Grüße, 世界, \u05e9\u05dc\u05d5\u05dd"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("nul \x00, \x7f, \x9b and \x80", "nul \\x00, \\x7f, \\x9b and \\x80"),
        ("\u202egnp.exe\u2069\u200f", "\\u202egnp.exe\\u2069\\u200f"),
        ("lone \ud800", "lone \\ud800"),
        ("tag \U000e0041", "tag \\U000e0041"),
    ],
)
def test_what_would_be_harmful_is_escaped(text: str, expected: str) -> None:
    assert shown(text, 100) == expected


@given(st.text(), st.integers(4, 50))
def test_what_is_shown_is_short_printable_and_stays_so(text: str, limit: int) -> None:
    once = shown(text, limit)
    assert len(once.encode()) <= limit
    assert once.isprintable()
    assert shown(once, limit) == once


def test_a_list_says_how_many_it_leaves_out() -> None:
    assert listed([], 3, 100) == ""
    assert listed(["a", "b", "c"], 3, 100) == "a, b, c"
    assert listed(["a", "b", "c"], 2, 100) == "a, b and 1 more"
    assert listed(["a", "b", "c"], 2, 100, "; ") == "a; b; and 1 more"
    assert listed(["a" * 40, "b" * 40, "c"], 3, 80) == f"{'a' * 40} and 2 more"


@given(st.lists(st.text(max_size=60), max_size=30), st.integers(1, 20), st.integers(60, 200))
def test_a_list_is_as_short_as_it_has_to_be(items: list[str], most: int, limit: int) -> None:
    assert len(listed(items, most, limit).encode()) <= limit
