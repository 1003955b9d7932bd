"""Scenarios several at a time: each worker is a process with a control plane of its own.

A scenario mostly waits. One control plane for all would be less to start, but restarting it, compacting its
etcd or killing the operator would then be done to others' scenarios too, and none would replay by itself.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from multiprocessing.util import Finalize
from pathlib import Path
from tempfile import mkdtemp
from threading import Thread
from typing import TYPE_CHECKING

from chaos.plan import plan
from chaos.scenario import Result, Scenario
from chaos.testbed import Testbed, start_testbed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

AT_ONCE = 4

_testbed: Testbed
"""Of this process."""


@contextmanager
def workers(directory: Path, count: int = AT_ONCE) -> Iterator[Callable[[int], Future[Result]]]:
    """Gives what runs the scenario of a seed; logs are in `directory`."""
    with ProcessPoolExecutor(
        count, multiprocessing.get_context("spawn"), initializer=_start, initargs=(directory,)
    ) as pool:
        try:
            yield lambda seed: pool.submit(_run, seed)
        finally:
            pool.shutdown(cancel_futures=True)


def _start(directory: Path) -> None:
    global _testbed  # noqa: PLW0603 (a pool's initializer can't hand anything on otherwise)
    Thread(target=_end_with_the_parent, daemon=True).start()
    stack = ExitStack()
    # A pool has no hook for the end of its processes, and the testbed's threads would keep them from ending.
    Finalize(None, stack.close, exitpriority=0)
    _testbed = stack.enter_context(start_testbed(Path(mkdtemp(dir=directory))))


def _end_with_the_parent() -> None:
    """A pool's processes wait for work forever when who gives it is killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def _run(seed: int) -> Result:
    result = Scenario(_testbed, plan(seed)).run()
    if not result.clean:
        _testbed.start_afresh()
    return result
