"""Waits that say how they get on."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import click

from podpatterns.cli.error import CommandError

INTERVAL = 0.3
"""Seconds between two requests."""

Found = TypeVar("Found")


class NotYet(CommandError):
    """The time is over and what was waited for has not come."""

    exit_code = 1


class Progress:
    """Lines on standard error; one that repeats the last is left out."""

    def __init__(self) -> None:
        self.last = ""

    def __call__(self, line: str) -> None:
        if line != self.last:
            click.echo(line, err=True)
        self.last = line


def wait(ask: Callable[[Progress], Found | None], timeout: float) -> Found:
    """Return the first answer of `ask` that is one, asked again and again; raises NotYet after `timeout`
    seconds, with 0 never. `ask` is given where to say how far things are."""
    progress = Progress()
    end = time.monotonic() + timeout if timeout else float("inf")
    while True:
        if (found := ask(progress)) is not None:
            return found
        left = end - time.monotonic()
        if left <= 0:
            raise NotYet(f"not within {timeout:g} s: {progress.last}")
        time.sleep(min(INTERVAL, left))
