from __future__ import annotations

import subprocess
from typing import IO, TYPE_CHECKING

import pytest

from testbed.cluster.command import CommandFailed, feed, pipe, run

if TYPE_CHECKING:
    from pathlib import Path


def shell(script: str) -> list[str]:
    return ["sh", "-c", script]


def test_run_gives_the_output_and_adds_to_the_environment(tmp_path: Path) -> None:
    assert run(*shell("echo $WORD; pwd"), environment={"WORD": "hi"}, directory=tmp_path) == f"hi\n{tmp_path}"


def test_a_failure_says_what_the_command_said() -> None:
    with pytest.raises(CommandFailed, match=r"(?s)status 3.*no such thing"):
        run(*shell("echo no such thing >&2; exit 3"))


def test_feed_fills_the_standard_input(tmp_path: Path) -> None:
    feed(shell(f"cat >{tmp_path}/copy"), lambda stream: stream.write(b"x" * 1_000_000))
    assert (tmp_path / "copy").stat().st_size == 1_000_000


def test_feed_tells_why_the_command_ended_early() -> None:
    def write(stream: IO[bytes]) -> None:
        for _ in range(1000):
            stream.write(b"x" * 10_000)

    with pytest.raises(CommandFailed, match=r"(?s)status 4.*enough"):
        feed(shell("echo enough; exit 4"), write)


def test_a_mistake_of_the_writer_is_not_hidden() -> None:
    def write(_stream: IO[bytes]) -> None:
        raise ValueError("mistake")

    with pytest.raises(ValueError, match="mistake"):
        feed(["cat"], write)


def test_pipe_connects_two_commands(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as out:
        pipe(shell("echo hello"), ["tr", "a-z", "A-Z"], out)
    assert (tmp_path / "out").read_text() == "HELLO\n"


@pytest.mark.parametrize(
    ("source", "sink"),
    [
        ("echo broken >&2; exit 1", "cat"),
        ("yes", "echo broken >&2; exit 1"),
        ("echo broken >&2; exit 1", "cat; exit 1"),
    ],
)
def test_pipe_fails_when_either_does(source: str, sink: str) -> None:
    with pytest.raises(CommandFailed, match="broken"):
        pipe(shell(source), shell(sink), subprocess.DEVNULL)
