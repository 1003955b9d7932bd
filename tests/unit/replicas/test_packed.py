"""Packed JSON comes out as it went in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from podpatterns.replicas.packed import COMPRESSED_FROM, Packed

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_it_comes_out_as_it_went_in(data: object) -> None:
    assert Packed.of(data).read() == data


def test_a_long_one_is_compressed() -> None:
    data = ["the same words"] * COMPRESSED_FROM
    packed = Packed.of(data)
    assert len(packed.text) < packed.size / 10
    assert packed.read() == data
