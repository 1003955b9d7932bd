"""Text for people keeps to its length."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from podpatterns.api.text import cut, enumerated


@given(text=st.text(max_size=60), most=st.integers(3, 50))
def test_a_cut_text_has_at_most_so_many_bytes(text: str, most: int) -> None:
    found = cut(text, most)
    assert len(found.encode()) <= most
    assert found == text or (found.endswith("…") and text.startswith(found[:-1]))
    assert (found == text) == (len(text.encode()) <= most)


def test_what_is_no_unicode_is_cut_too() -> None:
    assert cut("\ud800" * 100, 10) == "???????…"


def test_a_few_names() -> None:
    assert enumerated([]) == ""
    assert enumerated(["b", "a"]) == "b, a"
    assert enumerated(list("abcdef")) == "a, b, c, d, e and more"
    assert len(enumerated(["x" * 10_000] * 10).encode()) < 700
