"""CommandError: the end of a command that could not do its work."""

from __future__ import annotations

import click


class CommandError(click.ClickException):
    """One line for people. The exit status tells it from a finding's, as that of `kubectl diff` does."""

    exit_code = 2
