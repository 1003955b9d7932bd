"""The command `podpatterns policies`."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from podpatterns.cli import main

REPOSITORY = Path(__file__).parents[3]


def test_the_files_in_the_repository_are_up_to_date() -> None:
    result = CliRunner().invoke(main, ["policies", "--check", str(REPOSITORY / "policies")])

    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("name", ["crds", "policies"])
def test_the_chart_has_the_same_files(name: str) -> None:
    ours, charts = REPOSITORY / name, REPOSITORY / "charts/podpatterns/files" / name
    assert not charts.is_symlink()  # at which Helm warns with every command
    assert texts(charts) == texts(ours)


def texts(directory: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in directory.iterdir()}
