"""Runs a program and, when it fails, says with what words."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

LAST_LINES = 100


class CommandFailed(RuntimeError):
    """A program ended with a status other than 0; the text holds the last lines of what it wrote."""


def run(
    *command: str | Path,
    stdin: IO[bytes] | int = subprocess.DEVNULL,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> str:
    """The standard output of `command`, stripped of white space at its ends.

    `environment` is added to this process's own; `directory` is where the command runs, by default here.
    Raises CommandFailed, and FileNotFoundError when there is no such program.
    """
    process = subprocess.run(
        command,
        stdin=stdin,
        capture_output=True,
        text=True,
        env={**os.environ, **(environment or {})},
        cwd=directory,
        check=False,
    )
    if process.returncode != 0:
        raise _failed(command, process.returncode, process.stderr + process.stdout)
    return process.stdout.strip()


def feed(
    command: Sequence[str | Path],
    write: Callable[[IO[bytes]], object],
    environment: Mapping[str, str] | None = None,
) -> None:
    """Runs `command` while `write` fills its standard input. Raises as `run` does."""
    with tempfile.TemporaryFile() as output:
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
        ) as process:
            assert process.stdin
            # A command that ends early says itself, below, what was wrong.
            with suppress(BrokenPipeError), process.stdin:
                write(process.stdin)
        _check(command, process.returncode, output)


def pipe(source: Sequence[str | Path], sink: Sequence[str | Path], output: IO[bytes] | int) -> None:
    """Runs `source | sink > output`. Raises as `run` does, when either fails."""
    with tempfile.TemporaryFile() as said:
        with (
            subprocess.Popen(source, stdout=subprocess.PIPE, stderr=said) as producer,
            subprocess.Popen(sink, stdin=producer.stdout, stdout=output, stderr=said) as consumer,
        ):
            assert producer.stdout
            producer.stdout.close()  # The sink holds the only end now: when it ends, so does the source.
        _check(sink, consumer.returncode, said)
        _check(source, producer.returncode, said)


def _check(command: Sequence[str | Path], status: int, output: IO[bytes]) -> None:
    if status != 0:
        output.seek(0)
        raise _failed(command, status, output.read().decode(errors="replace"))


def _failed(command: Sequence[str | Path], status: int, output: str) -> CommandFailed:
    last = "\n".join(f"  {line}" for line in output.strip().splitlines()[-LAST_LINES:])
    return CommandFailed(f"{' '.join(map(str, command))} ended with status {status}:\n{last}")
