"""The OpenTelemetry Collector's own receiver takes whatever the metrics adapter pushes."""

from __future__ import annotations

import json
import random
import socket
import time
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse_text

from testbed.adapter import Adapter
from testbed.cluster.process import Process
from testbed.cluster.programs import program
from testbed.eventually import eventually
from testbed.ports import free_port
from tests.integration.adapter.exposition import TESTDATA, Samples, samples, speak

CUMULATIVE = 2
"""https://opentelemetry.io/docs/specs/otel/metrics/data-model/#temporality, as the protocol has it."""

UNITS = {"seconds": "s", "ratio": "1", "celsius": "Cel"}
"""Of the names in TESTDATA."""


class Collector:
    """The Collector's receiver, and the batches that it took."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.log = directory / "collector.log"
        self.process = Process([program("otlp-receiver"), f"127.0.0.1:{self.port}"], self.log)

    def serves(self) -> bool:
        self.process.check()
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def last(self) -> dict[str, Any]:
        """Resource and metrics of the last batch."""
        *lines, _ = self.log.read_text().split("\n") if self.log.exists() else [""]
        if not lines:
            return {"attributes": {}, "metrics": {}}
        [batch] = json.loads(lines[-1])["resourceMetrics"]
        [scope] = batch["scopeMetrics"]
        metrics = {m["name"]: m for m in scope["metrics"]}
        return {"attributes": attributes(batch["resource"]), "metrics": metrics}

    def samples(self) -> Samples:
        """The application's, as a scrape would have shown them."""
        metrics = self.last()["metrics"]
        return {s for name, m in metrics.items() if not name.startswith("adapter_") for s in as_scraped(m)}


def attributes(of: dict[str, Any]) -> dict[str, str]:
    return {a["key"]: a["value"]["stringValue"] for a in of.get("attributes", ())}


def as_scraped(metric: dict[str, Any]) -> Samples:
    made: Samples = set()
    name = metric["name"]
    [data] = [metric[kind] for kind in ("sum", "gauge", "histogram") if kind in metric]
    for point in data["dataPoints"]:
        labels = frozenset(attributes(point).items())
        if "histogram" not in metric:
            made.add((name, labels, point["asDouble"]))
            continue
        bounds = [*point.get("explicitBounds", ()), float("inf")]
        for bound, count in zip(bounds, accumulate(map(float, point["bucketCounts"])), strict=True):
            made.add((f"{name}_bucket", labels | {("le", str(float(bound)))}, count))
        made |= {(f"{name}_sum", labels, point["sum"]), (f"{name}_count", labels, float(point["count"]))}
    return made


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Collector]:
    made = Collector(tmp_path)
    made.process.start()
    eventually(made.serves)
    yield made
    made.process.stop()


def pushing(configuration: str, collector: Collector) -> str:
    otlp = f"otlp: {{endpoint: 'http://127.0.0.1:{collector.port}', interval: 1s}}"
    return configuration.replace("{{port}}", "{{port}}, " + otlp)


@pytest.mark.parametrize("name", [path.stem for path in sorted(TESTDATA.glob("*.yaml"))])
def test_what_is_scraped_is_pushed(
    tmp_path: Path, app: str, collector: Collector, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.namespace=default,k8s.pod.name=shop-0")
    logs = tmp_path / "logs"
    logs.mkdir()
    configuration = pushing((TESTDATA / f"{name}.yaml").read_text().replace("{{app}}", app), collector)
    began = time.time_ns()

    with Adapter(tmp_path, configuration) as adapter:
        speak(adapter, logs)
        golden = samples(parse_text((TESTDATA / f"{name}.prom").read_text()))
        eventually(collector.samples, until=lambda found: found == golden)

    last = collector.last()
    assert last["attributes"] == {
        "service.name": "shop",
        "service.namespace": "default",
        "k8s.pod.name": "shop-0",
    }
    for metric in last["metrics"].values():
        for kind in ("sum", "histogram"):
            if kind in metric:
                assert metric[kind]["aggregationTemporality"] == CUMULATIVE
                starts = [int(p["startTimeUnixNano"]) for p in metric[kind]["dataPoints"]]
                assert began < min(starts) <= max(starts) < time.time_ns()
        assert metric.get("sum", {"isMonotonic": True})["isMonotonic"]
        assert metric.get("unit", "") == UNITS.get(metric["name"].rsplit("_", 1)[-1], "")


ANY_LABELS = """
contract: {name: custom, labels: {fixed: "ü \\"quoted\\""}, metrics: [{name: app_texts_total, type: counter}]}
metrics: {port: {{port}}, maxSeries: 5000}
sources:
- {name: texts, type: log, log: {volume: logs, path: texts.log}}
rules:
- source: texts
  regex: '^(?P<text>.*)$'
  emit:
  - {metric: app_texts_total, labels: {text: "${text}"}}
  - {metric: app_text_seconds_total, value: text, labels: {text: "<${text}>"}}
"""


def test_any_text_in_a_label_arrives(tmp_path: Path, collector: Collector) -> None:
    """One that is no UTF-8 would keep all the others from being pushed."""
    logs = tmp_path / "logs"
    logs.mkdir()
    chance = random.Random(7)
    lines = [chance.randbytes(chance.randint(0, 300)).replace(b"\n", b" ") for _ in range(500)]

    with Adapter(tmp_path, pushing(ANY_LABELS, collector)) as adapter:
        (logs / "texts.log").write_bytes(b"\n".join([*lines, b"1.5", b""]))
        eventually(adapter.metrics, until=lambda text: 'text="<1.5>"' in text)
        scraped = samples(parse_text(adapter.metrics()))
        eventually(collector.samples, until=lambda found: found == scraped)

    assert len(scraped) > 400


def test_a_collector_that_is_away_misses_nothing(tmp_path: Path, collector: Collector) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    log = (TESTDATA / "app" / "access.log").read_bytes()
    configuration = pushing((TESTDATA / "log.yaml").read_text(), collector)

    def requests() -> float:
        return sum(value for name, _, value in collector.samples() if name == "app_requests_total")

    with Adapter(tmp_path, configuration) as adapter:
        (logs / "access.log").write_bytes(log)
        eventually(requests, until=(4.0).__eq__)
        collector.process.stop()
        with (logs / "access.log").open("ab") as more:
            more.write(log)
        silent = 'adapter_otlp_pushes_total{outcome="silent"} 0'
        eventually(adapter.metrics, until=lambda text: silent not in text)
        assert "app_requests_total" in adapter.metrics()
        collector.process.start()
        eventually(requests, until=(8.0).__eq__)
