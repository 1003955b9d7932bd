"""The parsers of Prometheus's own Python client take whatever the metrics adapter puts out."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from e2e.adapter import OPENMETRICS, SOURCES, Adapter
from e2e.eventually import eventually

TESTDATA = SOURCES / "testdata"

Samples = set[tuple[str, frozenset[tuple[str, str]], float]]


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def app() -> Iterator[str]:
    """The address of the application that the adapter's own tests read."""
    handler = partial(QuietHandler, directory=str(TESTDATA / "app"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


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


@pytest.mark.parametrize("name", [path.stem for path in sorted(TESTDATA.glob("*.yaml"))])
def test_both_formats_say_the_same(tmp_path: Path, app: str, name: str) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    configuration = (TESTDATA / f"{name}.yaml").read_text().replace("{{app}}", app)

    with Adapter(tmp_path, configuration) as adapter:
        (logs / "access.log").write_bytes((TESTDATA / "app" / "access.log").read_bytes())
        if "{{statsd}}" in configuration:
            with socket.create_connection(("127.0.0.1", adapter.statsd)) as sender:
                sender.sendall((TESTDATA / "app" / "statsd.txt").read_bytes())
        eventually(adapter.contract, until=lambda report: report["satisfied"])
        golden = samples(parse_text((TESTDATA / f"{name}.prom").read_text()))
        eventually(lambda: samples(parse_text(adapter.metrics())), until=lambda found: found == golden)

        assert samples(parse_openmetrics(adapter.metrics(OPENMETRICS))) == golden


ANY_LABELS = """
contract:
  name: custom
  labels: {fixed: "a \\"quoted\\" \\\\ one"}
  metrics:
  - {name: app_texts_total, type: counter}
  - {name: app_text_seconds, type: histogram}
metrics: {port: {{port}}, maxSeries: 5000}
sources:
- {name: texts, type: log, log: {volume: logs, path: texts.log}}
rules:
- source: texts
  regex: '^(?P<number>\\S*) ?(?P<text>.*)$'
  emit:
  - {metric: app_texts_total, labels: {text: "${text}"}}
  - {metric: app_text_seconds, value: number, labels: {text: "${text}"}}
  - {metric: app_last_text, value: number, labels: {text: "<${text}>"}}
- {source: texts, regex: '^end$', metric: app_ends_total}
"""


@pytest.fixture(scope="module")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adapter]:
    directory = tmp_path_factory.mktemp("adapter")
    (directory / "logs").mkdir()
    with Adapter(directory, ANY_LABELS) as adapter:
        yield adapter


TYPES = {
    "app_texts": "counter",
    "app_text_seconds": "histogram",
    "app_last_text": "gauge",
    "app_ends": "counter",
}


@settings(max_examples=60)
@given(text=st.binary(max_size=300) | st.text(max_size=300), number=st.floats())
def test_any_text_in_a_label_can_be_read(listening: Adapter, text: str | bytes, number: float) -> None:
    raw = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    before = ends(listening)
    with (listening.directory / "logs" / "texts.log").open("ab") as log:
        log.write(repr(number).encode() + b" " + raw.replace(b"\n", b" ") + b"\nend\n")

    eventually(lambda: ends(listening), until=lambda count: count == before + 1)

    found = own_families(parse_openmetrics(listening.metrics(OPENMETRICS)))
    assert {name: m.type for name, m in found.items()}.items() <= TYPES.items()


def ends(adapter: Adapter) -> float:
    found = {m.name: m for m in parse_text(adapter.metrics())}
    count: float = found["app_ends"].samples[0].value
    return count
