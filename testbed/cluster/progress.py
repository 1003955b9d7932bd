"""Says what takes long while it does, and keeps the times for a closing summary.

    with step("Build kube-apiserver"):
        ...

writes a line when it starts, one now and then while it lasts, so that a CI log shows life, and one with the
elapsed time at its end. Of steps within steps the innermost shows life. All goes to stderr: the standard
output of a command stays what was asked for.
"""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGN_OF_LIFE_SECONDS = 15.0


@dataclass
class _Step:
    title: str
    depth: int
    started: float
    outcome: str = "unfinished"
    seconds: float = 0.0


_steps: list[_Step] = []
_depth: ContextVar[int] = ContextVar("depth", default=0)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Times what is done inside. Steps may be nested, and may run beside one another in threads."""
    this = _Step(title, _depth.get(), time.monotonic())
    _steps.append(this)
    _say(this, title)
    finished = threading.Event()
    threading.Thread(target=_show_life, args=(this, finished), daemon=True).start()
    outer = _depth.set(this.depth + 1)
    try:
        yield
    except BaseException:
        this.outcome = "failed"
        raise
    else:
        this.outcome = "done"
    finally:
        _depth.reset(outer)
        finished.set()
        this.seconds = time.monotonic() - this.started
        _say(this, f"{title}: {this.outcome} in {this.seconds:.1f} s")


def summary() -> str:
    """The times of all steps in the order of their start, inner ones indented; empty when there were none."""
    return "\n".join(
        f"{step.seconds:8.1f} s  {'  ' * step.depth}{step.title}"
        + ("" if step.outcome == "done" else f" ({step.outcome})")
        for step in _steps
    )


def _show_life(step: _Step, finished: threading.Event) -> None:
    while not finished.wait(SIGN_OF_LIFE_SECONDS):
        if not any(inner.depth > step.depth and inner.outcome == "unfinished" for inner in _steps):
            _say(step, f"{step.title}: {time.monotonic() - step.started:.0f} s so far")


def _say(step: _Step, text: str) -> None:
    # In one piece, as other threads write too.
    sys.stderr.write(f"{'  ' * step.depth}[{time.strftime('%H:%M:%S')}] {text}\n")
    sys.stderr.flush()
