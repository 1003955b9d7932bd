"""Tests of a client or of Redis, through the ambassador and directly: which of them end differently?"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from bench.redis import HELPER, running, servers, serves
from testbed.cluster.own_programs import own_program
from testbed.cluster.packages import require
from testbed.cluster.progress import step
from testbed.eventually import eventually
from testbed.ports import free_port

Outcomes = dict[str, str]
"""How each test ended."""


def directly_and_through(
    directory: Path, what: str, outcomes: Callable[[int], Outcomes]
) -> tuple[Outcomes, Outcomes]:
    """Return the outcomes at a lone Redis, and at the ambassador before a primary and two replicas."""
    require({"redis-server": "redis-server"})
    with servers(directory) as ports:
        lone, ours = free_port(), free_port()
        with running(directory, {"lone": _lone(directory, lone), "ours": _ours(ours, ports)}):
            for port in (lone, ours):
                eventually(partial(serves, port))
            with step(f"{what}, directly and through the ambassador"), ThreadPoolExecutor() as both:
                direct, through = both.map(outcomes, (lone, ours))
    return direct, through


def judge(direct: Outcomes, ours: Outcomes, explained: Mapping[str, str]) -> None:
    """Print the tests that differ, with the reason, and end the program: with 0 if each has one."""
    differ = {test for test in direct | ours if direct.get(test) != ours.get(test)}
    for test in sorted(differ):
        why = explained.get(test, "NOT EXPLAINED")
        print(f"{test}: {direct.get(test)} directly, {ours.get(test)} here: {why}")
    passed = sum(outcome == "passed" for outcome in ours.values())
    print(f"{len(ours)} tests, {passed} passed here, {len(differ)} ended differently")
    sys.exit(bool(differ - explained.keys()) or not passed)


def _lone(directory: Path, port: int) -> tuple[str, ...]:
    files = directory / "lone"
    files.mkdir()
    own = ("--dir", str(files), "--save", "", "--enable-debug-command", "yes")
    return ("redis-server", "--port", str(port), *own)


def _ours(port: int, servers: list[int]) -> tuple[str | Path, ...]:
    endpoints = [word for server in servers for word in ("--endpoint", f"127.0.0.1:{server}")]
    policy = ("--read-policy", "PreferReplica", "--read-after-write", "1s")
    return (own_program(HELPER), "--listen", f"127.0.0.1:{port}", *policy, *endpoints)
