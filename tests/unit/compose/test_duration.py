"""Go's durations as numbers."""

from __future__ import annotations

import pytest

from podpatterns.compose.helpers.duration import milliseconds


@pytest.mark.parametrize(
    ("written", "meant"),
    [("500ms", 500), ("1m30s", 90_000), ("1.5h", 5_400_000), ("0.1ms", 1), ("0.5s", 500), ("2s", 2_000)],
)
def test_milliseconds(written: str, meant: int) -> None:
    assert milliseconds(written) == meant
