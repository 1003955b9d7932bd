"""The answers to probes and to Prometheus."""

from __future__ import annotations

import socket

import aiohttp
import pytest

from podpatterns.controller.health import Health, probes
from podpatterns.controller.metrics import LEADER, MALFORMED_WATCH_EVENTS, RECONCILE_ERRORS, SKIPPED_RECORDS


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        found: int = free.getsockname()[1]
        return found


async def get(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.text()


async def test_metrics_are_beside_the_probe(port: int) -> None:
    SKIPPED_RECORDS.labels("pods").inc()
    MALFORMED_WATCH_EVENTS.labels("pods").inc()
    RECONCILE_ERRORS.labels("SidecarApp").inc()
    LEADER.set(1)
    async with probes(Health(), f"127.0.0.1:{port}"):
        status, text = await get(f"http://127.0.0.1:{port}/metrics")
    assert status == 200
    found = {line.partition(" ")[0].partition("{")[0] for line in text.splitlines()}
    assert found >= {
        "podpatterns_skipped_records_total",
        "podpatterns_malformed_watch_events_total",
        "podpatterns_reconcile_errors_total",
        "podpatterns_leader",
    }


async def test_a_note_does_not_make_it_unhealthy(port: int) -> None:
    health = Health()
    url = f"http://127.0.0.1:{port}/healthz"
    async with probes(health, f":{port}"):
        assert await get(f"http://127.0.0.1:{port}/readyz") == (200, "ok\n")
        assert await get(url) == (200, "ok\n")
        health.note("kinds", "Adapter is missing")
        assert await get(url) == (200, "ok\nAdapter is missing\n")
        health.beat("watch", within=-1)
        assert (await get(url))[0] == 503
        health.beat("watch", within=60)
        health.note("kinds", "")
        assert await get(url) == (200, "ok\n")


@pytest.mark.parametrize(
    "address",
    ["8080", "127.0.0.1", "127.0.0.1:", ":http", ":65536", "http://127.0.0.1:8080", ":8080/healthz", ""],
)
async def test_an_address_that_cannot_be_served(address: str) -> None:
    with pytest.raises(ValueError, match="--health-probe-bind-address"):
        async with probes(Health(), address):
            pass
