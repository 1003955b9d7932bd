"""Settings and plugins of every test run."""

from __future__ import annotations

import pytest
from hypothesis import settings

from testbed.cluster.progress import summary

pytest_plugins = ["testbed.beside"]

# How long an example takes says more about the machine than about the code.
settings.register_profile("full", deadline=None)
# For `make check`: what takes long is tried with a few examples.
settings.register_profile("quick", deadline=None, max_examples=10)
settings.load_profile("full")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the times of long preparations."""
    if times := summary():
        terminalreporter.section("times")
        terminalreporter.write_line(times)
