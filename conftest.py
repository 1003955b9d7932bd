"""What every test run has in common."""

from __future__ import annotations

import pytest

from e2e.cluster.progress import summary


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Where the time of long preparations went."""
    if times := summary():
        terminalreporter.section("times")
        terminalreporter.write_line(times)
