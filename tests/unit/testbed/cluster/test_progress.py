from __future__ import annotations

import re

import pytest

from testbed.cluster import progress
from testbed.cluster.progress import step, summary


@pytest.fixture(autouse=True)
def no_earlier_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_steps", [])


def test_a_step_says_when_it_starts_and_how_long_it_took(capsys: pytest.CaptureFixture[str]) -> None:
    with step("Build"):
        assert capsys.readouterr().err.endswith("] Build\n")
    assert re.search(r"\] Build: done in \d+\.\d s\n$", capsys.readouterr().err)


def test_a_long_step_shows_signs_of_life(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "SIGN_OF_LIFE_SECONDS", 0.01)
    seen = ""
    with step("Build"):
        while "so far" not in seen:
            seen += capsys.readouterr().err


def test_the_summary_has_all_steps_inner_ones_indented() -> None:
    def fail() -> None:
        with step("Cluster"):
            with step("Image"):
                pass
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    lines = [re.sub(r"\d+\.\d", "0.0", line) for line in summary().splitlines()]
    assert lines == ["     0.0 s  Cluster (failed)", "     0.0 s    Image"]
