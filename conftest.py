"""Settings and plugins of every test run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from testbed.cluster.progress import summary

if TYPE_CHECKING:
    from collections.abc import Sequence

# How long an example takes says more about the machine than about the code.
settings.register_profile("full", deadline=None)
# For `make check`: what takes long is tried with a few examples.
settings.register_profile("quick", deadline=None, max_examples=10)
settings.load_profile("full")

FIRST = (
    "tests/integration/test_crds.py",
    "tests/integration/test_chaos.py",
    "tests/integration/test_isolation.py",
    "tests/integration/haproxy/test_configuration.py",
)
"""Long modules that begin after e2e. One that began last would leave the other processes without work."""

TIMES = pytest.StashKey[list[str]]()
"""The times of long preparations, of each process."""


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Gives a process the whole of e2e, as its tests share a cluster; else a module, as those share an
    operator."""

    def _split_scope(self, nodeid: str) -> str:
        return _scope(nodeid)


def _scope(nodeid: str) -> str:
    return "e2e" if nodeid.startswith("e2e/") else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the items by when their module is to begin; all others stay as they are."""
    order = {module: number for number, module in enumerate(("e2e", *FIRST))}
    items.sort(key=lambda item: order.get(_scope(item.nodeid), len(order)))


def pytest_configure(config: pytest.Config) -> None:
    config.stash[TIMES] = []


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["times"] = summary()


def pytest_testnodedown(node: Any) -> None:
    node.config.stash[TIMES].append(getattr(node, "workeroutput", {}).get("times", ""))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show the times of long preparations."""
    times: Sequence[str] = [text for text in (*config.stash[TIMES], summary()) if text]
    if times:
        terminalreporter.section("times")
        terminalreporter.write_line("\n".join(times))
