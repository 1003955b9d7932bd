"""What every test run has in common."""

from __future__ import annotations

import pytest
from hypothesis import settings

from testbed.cluster.progress import summary

# How long an example takes says more about the machine than about the code.
settings.register_profile("podpatterns", deadline=None)
settings.load_profile("podpatterns")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Where the time of long preparations went."""
    if times := summary():
        terminalreporter.section("times")
        terminalreporter.write_line(times)
