"""The measurement: the quiet tenant alone and under attack, in turn, so that what else goes on hits both."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING

from bench.isolation.quiet import SUBJECTS, quiet
from bench.isolation.tenant import ATTACKS, Tenant
from testbed.cluster.progress import step

if TYPE_CHECKING:
    from bench.subject import Subject
    from bench.testbed import Testbed

MIB = 1 << 20


@dataclass
class Result:
    alone: defaultdict[Subject, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Seconds for which each deleted Pod was missed."""
    attacked: defaultdict[Subject, list[float]] = field(default_factory=lambda: defaultdict(list))
    starts: int = 0
    """How often the operator was started."""
    memory: float = 0
    """MiB: the most that the operator's last process ever had."""

    def __str__(self) -> str:
        lines = [f"{'Pod replaced [ms]':30} {'alone':>14} {'attacked':>14} {'ratio':>7}"]
        for subject in SUBJECTS:
            for percent in (50, 99):
                alone, attacked = (
                    1000 * percentile(seconds[subject], percent) for seconds in (self.alone, self.attacked)
                )
                name = f"{subject}: p{percent} of {len(self.alone[subject])}"
                lines.append(f"{name:30} {alone:14.1f} {attacked:14.1f} {attacked / alone:7.2f}")
        return "\n".join(
            [*lines, f"memory of the operator: {self.memory:.0f} MiB; started {self.starts} times"]
        )


def percentile(seconds: list[float], percent: int) -> float:
    return quantiles(seconds, n=100, method="inclusive")[percent - 1]


async def duel(
    testbed: Testbed, rounds: int, samples: int, attacks: Collection[str] = tuple(ATTACKS)
) -> AsyncGenerator[Result]:
    """Yield the result so far after each round, in each half of which so many Pods of each are deleted."""
    result = Result()
    tenant = Tenant(testbed.api, "hostile")
    await tenant.settle_in()
    async with quiet(testbed.api, "quiet") as peace:
        for number in range(1, rounds + 1):
            with step(f"Round {number} of {rounds}: alone"):
                _add(result.alone, await peace.replace(samples))
            async with _under_attack(tenant, attacks):
                with step(f"Round {number} of {rounds}: under attack"):
                    _add(result.attacked, await peace.replace(samples))
            result.starts = sum(m["message"] == "In sync" for m in testbed.operator.messages())
            result.memory = _memory_peak(testbed.pid("ours"))
            yield result


@asynccontextmanager
async def _under_attack(tenant: Tenant, attacks: Collection[str]) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for name, attack in ATTACKS.items():
            if name in attacks:
                with step(f"Attack: {name}"):
                    await stack.enter_async_context(attack(tenant))
        yield


def _add(to: defaultdict[Subject, list[float]], more: dict[Subject, list[float]]) -> None:
    for subject, seconds in more.items():
        to[subject] += seconds


def _memory_peak(pid: int) -> float:
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found[1]) * 1024 / MIB if found else 0.0
