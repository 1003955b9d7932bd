"""Memory, files and threads of the operator at a moment at which it has nothing to do, and their growth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from testbed.usage import resident_mib

if TYPE_CHECKING:
    from collections.abc import Sequence

TOLERANCES = {"memory": 0.1, "files": 0.25, "threads": 0.25}
"""By how much of itself each may grow: a heap is never the same twice, and connections come and go."""
ENOUGH = 40
"""Samples below which nothing can be said: the first quarter is the process warming up."""


@dataclass(frozen=True, slots=True)
class Sample:
    memory: float
    """Resident, in MiB."""
    files: int
    """Open file descriptors."""
    threads: int

    @classmethod
    def of(cls, pid: int) -> Sample:
        process = Path(f"/proc/{pid}")
        return cls(resident_mib(pid), *(len(list((process / what).iterdir())) for what in ("fd", "task")))

    def __str__(self) -> str:
        return f"{self.memory:.1f} MiB, {self.files} files, {self.threads} threads"


def growth(samples: Sequence[Sample]) -> dict[str, float]:
    """By how much of itself each has grown from the second quarter of the samples to the last, by medians."""
    quarter = len(samples) // 4
    before, after = samples[quarter : 2 * quarter], samples[-quarter:]
    return {
        what: median(getattr(s, what) for s in after) / median(getattr(s, what) for s in before) - 1
        for what in TOLERANCES
    }


def leaks(samples: Sequence[Sample]) -> list[str]:
    """Return the names of those that grow by more than they may."""
    if len(samples) < ENOUGH:
        return []
    return [what for what, grown in growth(samples).items() if grown > TOLERANCES[what]]
