"""JSON that YAML can carry."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from podpatterns.controller.normalized import yaml_text


@given(st.dictionaries(st.text(max_size=20), st.text() | st.integers() | st.lists(st.text())))
def test_it_is_what_it_was(body: dict[str, object]) -> None:
    text = yaml_text(body)
    assert yaml.load(text, yaml.CSafeLoader) == body
    text.encode()


@pytest.mark.parametrize(
    "character", ["\x7f", "\x80", "\x85", "\x9f", "\u2028", "\u2029", "\ufeff", "\uffff"]
)
def test_what_yaml_has_no_room_for_is_escaped(character: str) -> None:
    assert yaml_text({"k": character}) == f'{{"k": "\\u{ord(character):04x}"}}'


def test_the_rest_stays() -> None:
    assert yaml_text({"k": "é 漢 😀 \\u0085"}) == '{"k": "é 漢 😀 \\\\u0085"}'


def test_half_a_surrogate_pair_is_replaced_as_the_server_does() -> None:
    assert yaml_text({"k": "a\ud83db"}) == '{"k": "a\ufffdb"}'
