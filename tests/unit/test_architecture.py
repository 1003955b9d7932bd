"""The table of docs/architecture.md: every file, name and test in it exists."""

from __future__ import annotations

import re
from itertools import takewhile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "operator" / "podpatterns"


def rows() -> list[list[list[str]]]:
    """Return the code spans of each row's columns."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    _, table = text.split("| behaviour | file |", 1)
    lines = takewhile(lambda line: line.startswith("|"), table.splitlines()[2:])
    return [[re.findall("`([^`]+)`", cell) for cell in line.strip("|").split("|")] for line in lines]


ROWS = rows()


def test_the_table_is_read_to_its_end() -> None:
    assert len(ROWS) >= 30


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[1][0])
def test_a_behaviour_is_where_the_table_says(row: list[list[str]]) -> None:
    _, files, names, tests = row
    assert files
    assert tests
    for file, name in zip(files, names, strict=True):
        definition = rf"^ *(async )?(def|class) {name}\b|^(.*, )?{name}\b.*="
        assert re.search(definition, (PACKAGE / file).read_text(), re.MULTILINE), name
    for test in tests:
        assert (ROOT / ("" if test.startswith("e2e/") else "tests") / test).is_file()
