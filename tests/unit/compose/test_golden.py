"""The golden files: an object, and the Pod and the ConfigMap that come of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden.golden import CASES, outputs


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_files_are_what_is_made(case: Path) -> None:
    """`make generate` writes them anew."""
    assert outputs(case) == {
        path.name: path.read_text() for path in case.iterdir() if path.name != "object.yaml"
    }
