"""redis-py's own tests of commands, through the ambassador and directly: which of them end differently?

python -m bench.redis_py [2|3]     the protocol's version, by default 2
"""

from __future__ import annotations

import sys
import tarfile
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from bench.redis_suite import Outcomes, directly_and_through, judge
from testbed.cluster.cache import cached, digest
from testbed.cluster.command import run

REDIS_PY = "redis==8.1.0"
NEEDS = ("pytest==9.2.0", "pytest-asyncio==1.5.0", "pytest-timeout==2.4.0", "numpy==2.3.5", "mock==5.2.0")
SUITES = ("commands", "pipeline", "pubsub", "scripting", "function", "lock", "monitor", "encoding", "hash")

EXPLAINED = {
    "tests.test_commands.TestRedisCommands::test_slowlog_get": "the GET ran on a replica and is in its log",
    **{
        f"tests.test_monitor.TestMonitor::{test}": "the GET ran on a replica, out of MONITOR's sight"
        for test in (
            "test_command_with_quoted_key",
            "test_command_with_binary_data",
            "test_command_with_escaped_data",
            "test_wait_command_not_found",
        )
    },
}
"""Tests that end differently, and why that is right."""


def main() -> None:
    protocol = sys.argv[1] if len(sys.argv) > 1 else "2"
    checkout = cached("redis-py", digest(REDIS_PY, *NEEDS), _install)
    with tempfile.TemporaryDirectory() as name:

        def outcomes(port: int) -> Outcomes:
            return _outcomes(checkout, port, protocol, Path(name, f"{port}.xml"))

        direct, ours = directly_and_through(Path(name), "redis-py's tests", outcomes)
    judge(direct, ours, EXPLAINED)


def _install(directory: Path) -> None:
    python = directory / "venv" / "bin" / "python"
    run("python3", "-m", "venv", directory / "venv")
    run(python, "-m", "pip", "install", "--quiet", *NEEDS)
    run(
        python,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--no-binary",
        "redis",
        "--dest",
        directory,
        REDIS_PY,
    )
    with tarfile.open(next(directory.glob("redis-*.tar.gz"))) as archive:
        archive.extractall(directory, filter="data")


def _outcomes(checkout: Path, port: int, protocol: str, report: Path) -> Outcomes:
    """How each test ended. Some fail with any Redis 7.0, so that pytest tells of failures stops nothing."""
    tests = next(checkout.glob("redis-*/"))
    command: list[str | Path] = [
        checkout / "venv" / "bin" / "python",
        "-m",
        "pytest",
        "-q",
        # An alarm while pytest shows a failure would end the whole run. It is for the test alone, and
        # failures are not shown with their sources, which can take longer than the test.
        "--timeout=15",
        "--override-ini=timeout_func_only=true",
        "--tb=native",
        "-W",
        "ignore",
    ]
    options = [f"--protocol={protocol}", f"--redis-url=redis://127.0.0.1:{port}/9", f"--junitxml={report}"]
    files = [f"tests/test_{suite}.py" for suite in SUITES]
    run(
        "sh",
        "-c",
        '"$@" || test $? = 1',
        "sh",
        *command,
        *options,
        *files,
        directory=tests,
        environment={"PYTHONPATH": "."},
    )
    outcomes = {}
    for case in ElementTree.parse(report).getroot().iter("testcase"):  # noqa: S314 - written by pytest just now
        ends = [part.tag for part in case if part.tag in ("failure", "error", "skipped")]
        outcomes[f"{case.get('classname')}::{case.get('name')}"] = ends[0] if ends else "passed"
    return outcomes


if __name__ == "__main__":
    main()
