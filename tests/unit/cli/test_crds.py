"""The command `podpatterns crds`."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from podpatterns.cli import main

FILES = {
    "podpatterns.dev_adapters.yaml",
    "podpatterns.dev_ambassadors.yaml",
    "podpatterns.dev_sidecarapps.yaml",
}
REPOSITORY = Path(__file__).parents[3]


def test_the_files_in_the_repository_are_up_to_date() -> None:
    result = CliRunner().invoke(main, ["crds", "--check", str(REPOSITORY / "crds")])

    assert result.exit_code == 0, result.output


def test_it_writes_one_file_per_kind_and_the_check_names_what_is_stale(tmp_path: Path) -> None:
    tmp_path = tmp_path / "new"
    result = CliRunner().invoke(main, ["crds", str(tmp_path)])

    assert result.exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} == FILES

    (tmp_path / "podpatterns.dev_adapters.yaml").write_text("old")
    (tmp_path / "podpatterns.dev_ambassadors.yaml").unlink()

    result = CliRunner().invoke(main, ["crds", "--check", str(tmp_path)])

    assert result.exit_code == 1
    assert "podpatterns.dev_adapters.yaml" in result.stderr
    assert "podpatterns.dev_ambassadors.yaml" in result.stderr
    assert "podpatterns.dev_sidecarapps.yaml" not in result.stderr
    assert f"podpatterns crds {tmp_path}" in result.stderr
    assert (tmp_path / "podpatterns.dev_adapters.yaml").read_text() == "old"
