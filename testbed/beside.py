"""Tests in a process of their own, beside the others: `pytest --beside e2e`.

Scenarios mostly wait for containers, and other tests for the API server. Those of the directory run in a
second pytest, which also builds what they need; its reports are taken up as if they had come from here, so
that there is one list of failures, one of durations and one closing line.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from testbed.cluster.progress import step, summary
from testbed.terminal import uncaptured

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from io import TextIOWrapper

POLL_SECONDS = 0.5
NICENESS = 10
"""Of the second process: its builds take the time that the first one leaves."""
ENDED = {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("beside")
    group.addoption(
        "--beside", metavar="DIRECTORY", help="run its tests in a second process, beside the others"
    )
    group.addoption("--reports-to", help=argparse.SUPPRESS)


def pytest_configure(config: pytest.Config) -> None:
    if path := config.getoption("reports_to"):
        config.pluginmanager.register(Reporter(config, Path(path)))
    if directory := config.getoption("beside"):
        config.pluginmanager.register(Beside(config, config.rootpath / directory))


class Reporter:
    """Writes the reports of the second process, a line each, and last the times of its steps."""

    def __init__(self, config: pytest.Config, path: Path) -> None:
        self._config = config
        self._file = path.open("a", buffering=1)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._write(self._config.hook.pytest_report_to_serializable(config=self._config, report=report))

    def pytest_unconfigure(self) -> None:
        self._write({"times": summary()})
        self._file.close()

    def _write(self, entry: object) -> None:
        self._file.write(json.dumps(entry) + "\n")


class Beside:
    """Starts the second process before the first test and waits for it after the last one."""

    def __init__(self, config: pytest.Config, directory: Path) -> None:
        self._config = config
        self._directory = directory
        self._reports: TextIOWrapper | None = None
        self._line = ""
        self._test: list[pytest.TestReport] = []
        """The reports of the test that runs there, which are shown together."""
        self._expected: set[str] = set()
        self._times = ""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        theirs = [item for item in session.items if item.path.is_relative_to(self._directory)]
        if not theirs or session.config.option.collectonly:
            return (yield)
        session.items[:] = [item for item in session.items if item not in set(theirs)]
        self._expected = {item.nodeid for item in theirs}
        with tempfile.TemporaryDirectory() as directory:
            reports, output = Path(directory, "reports"), Path(directory, "output")
            reports.touch()
            with reports.open() as self._reports, output.open("w") as stdout:
                process = self._start([item.nodeid for item in theirs], reports, stdout)
                try:
                    result = yield
                    self._wait(process)
                finally:
                    if process.poll() is None:
                        process.send_signal(signal.SIGINT)
                        process.wait()
            if self._expected or process.returncode not in ENDED:
                self._fail(f"The process ended with status {process.returncode}.\n{output.read_text()}")
        return result

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logfinish(self) -> None:
        self._take_up()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._times:
            terminalreporter.section(f"times of {self._directory.name}")
            terminalreporter.write_line(self._times)

    def _start(self, nodeids: Sequence[str], reports: Path, stdout: TextIOWrapper) -> subprocess.Popen[bytes]:
        keep = ["--keep-cluster"] if self._config.getoption("keep_cluster", default=False) else []
        options = ["-p", "no:cacheprovider", "--tb=long", f"--reports-to={reports}", *keep]
        return subprocess.Popen(
            ["nice", f"-n{NICENESS}", sys.executable, "-m", "pytest", *options, *nodeids],
            cwd=self._config.rootpath,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
        )

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        with uncaptured(self._config), step(f"Wait for the tests of {self._directory.name}"):
            while process.poll() is None:
                self._take_up()
                time.sleep(POLL_SECONDS)
            self._take_up()

    def _fail(self, reason: str) -> None:
        """A failure of each test that did not end, or of the directory where all did."""
        for nodeid in sorted(self._expected) or [self._directory.name]:
            report = pytest.TestReport(nodeid, (nodeid, None, nodeid), {}, "failed", reason, "call")
            self._config.hook.pytest_runtest_logreport(report=report)

    def _take_up(self) -> None:
        """Show the tests that have ended since the last time."""
        if not self._reports or self._reports.closed:
            return
        for piece in self._reports:
            self._line += piece
            if self._line.endswith("\n"):
                entry, self._line = json.loads(self._line), ""
                self._take(entry)

    def _take(self, entry: dict[str, object]) -> None:
        if "times" in entry:
            self._times = str(entry["times"])
            return
        hook = self._config.hook
        report = hook.pytest_report_from_serializable(config=self._config, data=entry)
        self._test.append(report)
        if report.when != "teardown":
            return
        shown, self._test = self._test, []
        self._expected.discard(report.nodeid)
        hook.pytest_runtest_logstart(nodeid=report.nodeid, location=report.location)
        for one in shown:
            hook.pytest_runtest_logreport(report=one)
        hook.pytest_runtest_logfinish(nodeid=report.nodeid, location=report.location)
