"""CPU time and memory of a process, by the kernel's count."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from testbed.eventually import eventually

TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")
IDLE = 0.1
"""CPU seconds in a second below which a process has nothing left to do."""
IDLE_TIMEOUT = 300.0
MIB = 1 << 20


def cpu_seconds(pid: int) -> float:
    """User and system time of all its threads since its start."""
    # proc(5): utime and stime are fields 14 and 15; the second, the command, may contain spaces.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_SECONDS


def resident_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    kib = next(line.split()[1] for line in lines if line.startswith("VmRSS:"))
    return int(kib) * 1024 / MIB


async def idle(pid: int) -> None:
    """Waits until the process has worked off what there was."""

    async def used() -> float:
        before = cpu_seconds(pid)
        await asyncio.sleep(1)
        return cpu_seconds(pid) - before

    await eventually(used, IDLE_TIMEOUT, until=lambda seconds: seconds < IDLE)
