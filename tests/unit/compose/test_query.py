"""Which JMESPath expressions are refused; test_same_words compares with the adapter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podpatterns.compose.query import refusal


@pytest.mark.parametrize(
    "path",
    [
        "http.hits",
        "items(endpoints)[*].{route: [0], hits: [1].hits}",
        'pool."used-now"',
        "a[?b == `1`].c",
        # The adapter's alone.
        "hits - misses",
        "hits * `2`",
        "$.hits",
        "let $x = a in $x",
    ],
)
def test_a_path_is_taken(path: str) -> None:
    assert refusal(path) == ""


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("http..hits", "Expecting: ['quoted_identifier', "),
        ("http.hits[", "Incomplete expression"),
        ("http hits", 'Unexpected token: hits: Parse error at column 5, token "hits"'),
        ("#hits", "Unknown token #"),
        ("a[?b == `x`]", "the literal `x` is not JSON"),
    ],
)
def test_a_path_is_refused_with_the_reason(path: str, reason: str) -> None:
    assert refusal(path).startswith(reason)


@given(st.text(max_size=256))
def test_any_text_is_judged(path: str) -> None:
    assert "\n" not in refusal(path)


@pytest.mark.parametrize("piece", ["(", "[", "!", "{a:", "a["])
def test_so_is_one_that_is_deep(piece: str) -> None:
    refusal(piece * (256 // len(piece)))
