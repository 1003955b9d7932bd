"""What the metrics adapter puts out, as samples that can be compared."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from pathlib import Path

from prometheus_client.metrics_core import Metric

from testbed.adapter import SOURCES, Adapter

TESTDATA = SOURCES / "testdata"

Samples = set[tuple[str, frozenset[tuple[str, str]], float]]


def speak(adapter: Adapter, logs: Path) -> None:
    """Be the application that logs and sends, to a configuration of those in TESTDATA."""
    (logs / "access.log").write_bytes((TESTDATA / "app" / "access.log").read_bytes())
    if "statsd" in adapter.configuration:
        with socket.create_connection(("127.0.0.1", adapter.statsd)) as sender:
            sender.sendall((TESTDATA / "app" / "statsd.txt").read_bytes())


def own_families(metrics: Iterable[Metric]) -> dict[str, Metric]:
    return {m.name: m for m in metrics if not m.name.startswith("adapter_")}


def samples(metrics: Iterable[Metric]) -> Samples:
    """A bound is a number: 1 in one format, 1.0 in the other."""
    return {
        (
            s.name,
            frozenset((k, str(float(v)) if k == "le" else v) for k, v in s.labels.items()),
            s.value,
        )
        for m in own_families(metrics).values()
        for s in m.samples
    }
