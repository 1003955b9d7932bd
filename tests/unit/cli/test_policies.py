"""The command `podpatterns policies`."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from podpatterns.cli import main

REPOSITORY = Path(__file__).parents[3]


def test_the_files_in_the_repository_are_up_to_date() -> None:
    result = CliRunner().invoke(main, ["policies", "--check", str(REPOSITORY / "policies")])

    assert result.exit_code == 0, result.output
