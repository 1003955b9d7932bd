"""The metrics adapter beside mtail and statsd_exporter, each on one processor, and its scrapes and memory.

python -m bench.adapter [--quick]
"""

from __future__ import annotations

import argparse
import http.client
import os
import tempfile
import time
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING

from bench.adapter.load import lines, packets
from bench.adapter.subject import Mtail, Ours, OursStatsd, StatsdExporter, Subject
from bench.row import Goal, Row, table
from testbed.cluster.progress import step
from testbed.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RATE = 50_000
SERIES = 2_000
SCRAPES = 1_000

AS_GOOD = Goal("≥", 1.0)
ALL = Goal("≥", 1.0)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.adapter", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a small size, for trying it out")
    rounds, seconds = (1, 2.0) if parser.parse_args().quick else (3, 10.0)
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        bench = Bench(Path(directory), rounds, seconds)
        with step("python -m bench.adapter"):
            rows = [*bench.logs(), *bench.statsd(), *bench.scrapes()]
    print(table(rows))
    print(f"\n{os.cpu_count()} cores; load average {os.getloadavg()[0]:.1f}")


class Bench:
    def __init__(self, directory: Path, rounds: int, seconds: float) -> None:
        self._directory = directory
        self._rounds = rounds
        self._seconds = seconds
        self._runs = 0

    def logs(self) -> list[Row]:
        def load(subject: Subject) -> int:
            return lines(subject.log, RATE, self._seconds)

        return self._side_by_side(f"{RATE} log lines/s", "lines", load, Ours, Mtail)

    def statsd(self) -> list[Row]:
        def load(subject: Subject) -> int:
            return packets(subject.udp, RATE, self._seconds)

        return self._side_by_side(f"{RATE} StatsD packets/s", "requests", load, OursStatsd, StatsdExporter)

    def _side_by_side(
        self,
        what: str,
        unit: str,
        load: Callable[[Subject], int],
        *kinds: type[Subject],
    ) -> list[Row]:
        """Figures of ours and of theirs; who is first changes from round to round."""
        work: dict[type[Subject], list[float]] = {kind: [] for kind in kinds}
        share: dict[type[Subject], list[float]] = {kind: [] for kind in kinds}
        memory: dict[type[Subject], list[float]] = {kind: [] for kind in kinds}
        for number in range(self._rounds):
            for kind in kinds if number % 2 == 0 else reversed(kinds):
                with step(f"{what}: {kind.__name__}, round {number + 1} of {self._rounds}"):
                    counted, sent, cpu, resident = self._run(kind, load)
                work[kind].append(counted / cpu)
                share[kind].append(counted / sent)
                memory[kind].append(resident)
        ours, theirs = kinds
        return [
            Row(f"{what}: {unit} per CPU second", "", work[ours], work[theirs], AS_GOOD),
            Row(f"{what}: share that was counted", "", share[ours], share[theirs], ALL, "ours"),
            Row(f"{what}: resident memory after", "MiB", memory[ours], memory[theirs]),
        ]

    def _run(self, kind: type[Subject], load: Callable[[Subject], int]) -> tuple[float, int, float, float]:
        subject = self._start(kind)
        try:
            before = subject.cpu_seconds()
            sent = load(subject)
            counted = _settled(subject, sent)
            return counted, sent, subject.cpu_seconds() - before, subject.resident_mib()
        finally:
            subject.stop()

    def scrapes(self) -> list[Row]:
        """Of so many series, all of which Prometheus would count; and the memory when nothing happens."""
        subject = self._start(Ours)
        try:
            time.sleep(self._seconds)
            at_rest = subject.resident_mib()
            # The histogram and the errors are 15.
            with subject.log.open("w") as log:
                log.writelines(f"GET / {code} 1.5ms\n" for code in range(SERIES - 15))
            _settled(subject, SERIES - 15)
            with step(f"{SCRAPES} scrapes"):
                p99 = quantiles(_scrapes(subject.port), n=100)[98]
        finally:
            subject.stop()
        return [
            Row(f"{SERIES} series scraped: p99", "ms", [1000 * p99], [], Goal("≤", 20), "ours"),
            Row("resident memory at rest", "MiB", [at_rest], [], Goal("≤", 15), "ours"),
        ]

    def _start(self, kind: type[Subject]) -> Subject:
        """On the last processor; the load comes from another."""
        self._runs += 1
        return kind(self._directory / str(self._runs), (os.cpu_count() or 1) - 1)


def _settled(subject: Subject, sent: int) -> float:
    """Return the count when all was counted, or when for a second nothing more came."""
    last, since = -1.0, time.monotonic()

    def seen() -> float | None:
        nonlocal last, since
        counted = subject.counted()
        if counted != last:
            last, since = counted, time.monotonic()
        return counted if counted >= sent or time.monotonic() - since > 1 else None

    return eventually(seen, 120, until=lambda counted: counted is not None) or 0.0


def _scrapes(port: int) -> Sequence[float]:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    times = []
    for _ in range(SCRAPES):
        started = time.perf_counter()
        connection.request("GET", "/metrics")
        connection.getresponse().read()
        times.append(time.perf_counter() - started)
    connection.close()
    return times


if __name__ == "__main__":
    main()
