"""The dashboards of the chart, beside the metrics of real helpers."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from podpatterns.compose.helpers.haproxy import haproxy_config
from testbed.builders import ambassador
from testbed.cluster.own_programs import HELPERS, own_program
from testbed.cluster.process import Process
from testbed.eventually import eventually
from testbed.ports import free_port

SUFFIXES = {"histogram": ["_bucket", "_sum", "_count"], "summary": ["_sum", "_count"]}
DASHBOARD = Path(__file__).parents[2] / "charts" / "podpatterns" / "dashboards" / "ambassador.json"


def queries(dashboard: Any) -> Iterator[str]:
    """Yield every query, wherever it is."""
    if isinstance(dashboard, dict):
        for key, value in dashboard.items():
            if key in ("expr", "query") and isinstance(value, str):
                yield value
            yield from queries(value)
    if isinstance(dashboard, list):
        for value in dashboard:
            yield from queries(value)


def page(port: int) -> str:
    """Return the page of metrics; nothing while nobody serves it."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            text: str = answer.read().decode()
            return text
    except urllib.error.URLError:
        return ""


def families(page: str) -> Iterator[str]:
    """Yield the names of a page's samples, those of families without a sample included."""
    for line in page.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            yield from (name + suffix for suffix in SUFFIXES.get(kind, [""]))


@contextmanager
def helper(directory: Path, name: str, *arguments: str | Path) -> Iterator[int]:
    """Run a helper; yield the port of its metrics."""
    port = free_port()
    flag = "--metrics-bind" if name == "redis-ambassador" else "--metrics"
    process = Process(
        [own_program(HELPERS / name), flag, f"127.0.0.1:{port}", *arguments], directory / f"{name}.log"
    )
    process.start()
    try:
        yield port
    finally:
        process.stop()


def test_every_metric_of_the_ambassadors_dashboard_is_a_helpers(tmp_path: Path) -> None:
    api, queue = (
        {
            "name": name,
            "protocol": protocol,
            "listen": {"port": free_port()},
            "endpoints": ["127.0.0.1:1"],
        }
        for name, protocol in (("api", "http"), ("queue", "tcp"))
    )
    config = tmp_path / "haproxy.cfg"
    config.write_text(haproxy_config(ambassador(upstreams=[api, queue]).spec.upstreams, secrets=""))
    listen = f"127.0.0.1:{free_port()}"
    nothing = tmp_path / "postgres.yaml"
    nothing.write_text("upstreams: []\n")
    with (
        helper(tmp_path, "redis-ambassador", "--listen", listen, "--endpoint", "127.0.0.1:1") as redis,
        helper(tmp_path, "haproxy-ambassador", "--config", config, "--run", tmp_path / "run") as haproxy,
        helper(tmp_path, "postgres-ambassador", "--config", nothing, "--run", tmp_path / "pgrun") as postgres,
    ):
        shown = eventually(partial(page, redis)) + eventually(partial(page, postgres))
        shown += eventually(
            partial(page, haproxy), until=lambda text: "haproxy_backend_active_servers" in text
        )
    there = set(families(shown))
    asked = {
        name
        for query in queries(json.loads(DASHBOARD.read_text()))
        for name in re.findall(r"\b(?:redis|haproxy|postgres)_\w+", query)
    }
    assert len(asked) > 30
    assert asked <= there
