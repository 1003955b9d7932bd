"""The start of the command: what shows the cluster imports nothing that is slow to import."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

import podpatterns.api
from podpatterns.cli import COMMANDS, main
from podpatterns.cli.completion import for_kubectl

SLOW = ("kubernetes", "kopf", "pydantic", "requests", "urllib3", "asyncio")


@pytest.mark.parametrize("command", ["status", "tree", "logs", "replace"])
def test_a_command_for_people_starts_without_what_is_slow(command: str) -> None:
    code = f"import sys, podpatterns.cli.{command}; print([m for m in {SLOW} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert result.stdout == "[]\n"


def test_all_names_of_the_api_are_there() -> None:
    for name in podpatterns.api.__all__:
        assert getattr(podpatterns.api, name).__class__
    with pytest.raises(AttributeError):
        getattr(podpatterns.api, "nobody")  # noqa: B009 (mypy knows that it is not there)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help(command: str) -> None:
    result = CliRunner().invoke(main, [command, "--help"])
    assert result.exit_code == 0
    assert result.output.startswith("Usage: main ")


@pytest.mark.parametrize("shell", ["bash", "fish", "zsh"])
def test_shells_can_complete_it(shell: str) -> None:
    result = CliRunner().invoke(main, ["completion", shell])
    assert (result.exit_code, "_PODPATTERNS_COMPLETE" in result.output) == (0, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["stat"], ["status\tShow the conditions of an object, its...", ":4"]),
        (["history", "x", "-o", ""], ["json", "yaml", ":4"]),
        (["diff", "-f", ""], [":0"]),
        (["nothing", "x"], [":4"]),
    ],
)
def test_kubectl_can_complete_it(
    words: list[str], told: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["kubectl_complete-podpatterns", *words])
    for_kubectl()
    assert capsys.readouterr().out.splitlines() == told
