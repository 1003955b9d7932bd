"""CommandError: the end of a command that could not do its work."""

from __future__ import annotations

import click


class CommandError(click.ClickException):
    """One line for people. The exit status tells it from a finding's, as that of `kubectl diff` does."""

    exit_code = 2


def without_check() -> CommandError:
    """Return the error of a command that needs the packages of the extra `check`."""
    return CommandError("this needs more packages: pip install 'podpatterns[check]'")
