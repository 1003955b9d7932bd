"""The parsers of Prometheus's own Python client take whatever the metrics adapter puts out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from testbed.adapter import OPENMETRICS, Adapter
from testbed.eventually import eventually
from tests.integration.adapter.exposition import TESTDATA, own_families, samples, speak


@pytest.mark.parametrize("name", [path.stem for path in sorted(TESTDATA.glob("*.yaml"))])
def test_both_formats_say_the_same(tmp_path: Path, app: str, name: str) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    configuration = (TESTDATA / f"{name}.yaml").read_text().replace("{{app}}", app)

    with Adapter(tmp_path, configuration) as adapter:
        speak(adapter, logs)
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
