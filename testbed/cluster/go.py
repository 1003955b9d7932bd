"""The go command, set up so that the same sources give the same program."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from testbed.cluster.command import run

if TYPE_CHECKING:
    from pathlib import Path

BUILD_FLAGS = ("-mod=readonly", "-trimpath", "-buildvcs=false")


def go(*arguments: str | Path, directory: Path) -> str:
    """The standard output of `go <arguments>` in `directory`.

    Raises:
        CommandFailed: go ended with an error; the message has what it wrote.
        RuntimeError: there is no go.
    """
    # GOFLAGS is emptied and workspaces are off: what a developer sets there isn't part of the cache's keys.
    environment = {"CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}
    try:
        return run("go", *arguments, environment=environment, directory=directory)
    except FileNotFoundError as error:
        raise RuntimeError(f"{directory} is built with Go, and there is no go on the PATH") from error


@functools.cache
def toolchain(directory: Path) -> str:
    """Return the Go version and platform for `directory`; an older Go fetches the one of go.mod."""
    return go("env", "GOVERSION", "GOOS", "GOARCH", directory=directory)
