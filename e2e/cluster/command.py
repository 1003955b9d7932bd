"""Runs a program and, when it fails, says with what words."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import IO

LAST_LINES = 20


class CommandFailed(RuntimeError):
    """A program ended with a status other than 0; the text holds the last lines of what it wrote."""


def run(
    *command: str | Path,
    stdin: IO[bytes] | int = subprocess.DEVNULL,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> str:
    """The standard output of `command`, without white space around it. `environment` is added to this process's own.

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
        raise CommandFailed(failure(command, process.returncode, process.stderr + process.stdout))
    return process.stdout.strip()


def failure(command: tuple[str | Path, ...], status: int, output: str) -> str:
    """What to tell about a command that ended with `status`."""
    last = "\n".join(f"  {line}" for line in output.strip().splitlines()[-LAST_LINES:])
    return f"{' '.join(map(str, command))} ended with status {status}:\n{last}"
