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


@contextmanager
def helper(directory: Path, name: str, *arguments: str | Path) -> Iterator[int]:
    """Run a helper; yield the port of its metrics."""
    port = free_port()
    flag = {"redis-ambassador": "--metrics-bind", "haproxy-ambassador": "--metrics"}[name]
    process = Process(
        [own_program(HELPERS / name), flag, f"127.0.0.1:{port}", *arguments], directory / f"{name}.log"
    )
    process.start()
    try:
        yield port
    finally:
        process.stop()


def test_every_metric_of_the_ambassadors_dashboard_is_a_helpers(tmp_path: Path) -> None:
    upstream = {
        "name": "api",
        "protocol": "http",
        "listen": {"port": free_port()},
        "endpoints": ["127.0.0.1:1"],
    }
    config = tmp_path / "haproxy.cfg"
    config.write_text(haproxy_config(ambassador(upstreams=[upstream]).spec.upstreams, secrets=""))
    listen = f"127.0.0.1:{free_port()}"
    with (
        helper(tmp_path, "redis-ambassador", "--listen", listen, "--endpoint", "127.0.0.1:1") as redis,
        helper(tmp_path, "haproxy-ambassador", "--config", config, "--run", tmp_path / "run") as haproxy,
    ):
        shown = eventually(partial(page, redis)) + eventually(
            partial(page, haproxy), until=lambda text: "haproxy_backend_active_servers" in text
        )
    there = {re.split(r"[{ ]", line)[0] for line in shown.splitlines() if not line.startswith("#")}
    asked = {
        name
        for query in queries(json.loads(DASHBOARD.read_text()))
        for name in re.findall(r"\b(?:redis|haproxy)_\w+", query)
    }
    assert len(asked) > 20
    assert asked <= there
