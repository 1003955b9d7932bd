"""Which conditions are refused; test_same_words compares with the adapter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podpatterns.compose.condition import refusal


def judged(condition: str) -> str:
    return refusal(condition, lambda name: "" if name in ("code", "method", "type") else f"no {name}")


@pytest.mark.parametrize(
    "condition",
    [
        "code >= 500",
        'code >= 500 && method == "GET"',
        '!(code < 400 || (method) != "HEAD") && code > -1.5e3',
        'type == `x` && type == "a\\"b"',
        # Only the adapter can tell.
        "code > 1 // a comment",
        "code > 0x1p4",
        "code > 5\n",
        'method == "\\x41"',
    ],
)
def test_a_condition_is_taken(condition: str) -> None:
    assert judged(condition) == ""


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        ("code", "position 1: only comparisons, &&, || and ! are known here"),
        ("status > 3 && x > 1", "no status"),
        ("code > 3 && x == y", "no x no y"),
        ("code == (a.b)", "expected ')', found '.'"),
        ("code + 1 > 2", "position 1: not a group, a number or a string in double quotes"),
        ("code - 1", "position 6: - is not a comparison; use == != < <= > >="),
        # Positions are those of the text that the adapter hands to Go, with a mark before type.
        ("type > 1 && type - 1", "position 22: - is not a comparison; use == != < <= > >="),
        ("code > ", "1:8: expected operand, found 'EOF'"),
        ("code = 5", "1:6: expected '==', found '='"),
        ("code >= 500 and method", "1:13: expected 'EOF', found and"),
    ],
)
def test_a_condition_is_refused_with_the_reason(condition: str, reason: str) -> None:
    assert judged(condition).endswith(reason)


@given(st.text(max_size=256) | st.text(alphabet="a5 ()!&|=<>-\"'.", max_size=256))
def test_any_text_is_judged(condition: str) -> None:
    assert "\n" not in judged(condition)


@pytest.mark.parametrize("piece", ["(", "!", "-", "!(", "a<"])
def test_so_is_one_that_is_deep(piece: str) -> None:
    assert judged(piece * (256 // len(piece)))
