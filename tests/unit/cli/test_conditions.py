"""The command `podpatterns conditions`."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from podpatterns.api.conditions import ConditionType, EventReason, PodReason, Reason
from podpatterns.cli import main

DOCUMENT = Path(__file__).parents[3] / "docs" / "conditions.md"


def test_the_file_in_the_repository_is_up_to_date() -> None:
    result = CliRunner().invoke(main, ["conditions", "--check", str(DOCUMENT)])

    assert result.exit_code == 0, result.output


def test_it_explains_every_type_and_reason(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["conditions", str(tmp_path / "new" / "conditions.md")])

    assert result.exit_code == 0
    lines = (tmp_path / "new" / "conditions.md").read_text().splitlines()
    for kind in ConditionType:
        assert f"### `{kind}`" in lines
    for reason in (*Reason, *EventReason, *PodReason):
        assert sum(line.startswith(f"| `{reason}` | ") for line in lines) == 1
    row = "| `Paused` | The rollout is paused. | Set spec.updateStrategy.paused to false to resume it. |"
    assert row in lines


def test_the_check_names_the_stale_file_and_how_to_mend_it(tmp_path: Path) -> None:
    stale = tmp_path / "conditions.md"
    stale.write_text("old")

    result = CliRunner().invoke(main, ["conditions", "--check", str(stale)])

    assert result.exit_code == 1
    assert f"stale: {stale}; mend it with: podpatterns conditions {stale}" in result.stderr
    assert stale.read_text() == "old"
