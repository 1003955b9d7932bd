"""The HTTP servers of probes and metrics."""

from __future__ import annotations

import socket
from contextlib import suppress

import aiohttp
import pytest

from podpatterns.controller.health import Health, probes
from podpatterns.controller.webserver import metrics, serving


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        found: int = free.getsockname()[1]
        return found


async def get(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.text()


async def test_a_note_does_not_make_it_unhealthy(port: int) -> None:
    health = Health()
    url = f"http://127.0.0.1:{port}/healthz"
    async with serving("--health-probe-bind-address", f":{port}", probes(health)):
        assert await get(f"http://127.0.0.1:{port}/readyz") == (200, "ok\n")
        assert await get(url) == (200, "ok\n")
        health.note("kinds", "Adapter is missing")
        assert await get(url) == (200, "ok\nAdapter is missing\n")
        health.beat("watch", within=-1)
        assert (await get(url))[0] == 503
        health.beat("watch", within=60)
        health.note("kinds", "")
        assert await get(url) == (200, "ok\n")


async def test_metrics_have_a_port_of_their_own(port: int) -> None:
    """So that a NetworkPolicy can keep others from it that may ask for probes."""

    async def text() -> bytes:
        return b"up 1\n"

    async with serving("--metrics-bind-address", f":{port}", metrics(text)):
        assert await get(f"http://127.0.0.1:{port}/metrics") == (200, "up 1\n")
        assert (await get(f"http://127.0.0.1:{port}/healthz"))[0] == 404
    async with serving("--health-probe-bind-address", f":{port}", probes(Health())):
        assert (await get(f"http://127.0.0.1:{port}/metrics"))[0] == 404


@pytest.mark.parametrize(
    ("host", "answering"),
    [
        ("", {"127.0.0.1", "[::1]"}),
        ("[::]", {"[::1]"}),
        ("[::1]", {"[::1]"}),
    ],
)
async def test_without_a_host_it_serves_both_families(port: int, host: str, answering: set[str]) -> None:
    found = set()
    async with serving("--health-probe-bind-address", f"{host}:{port}", probes(Health())):
        for local in ("127.0.0.1", "[::1]"):
            with suppress(aiohttp.ClientConnectionError):
                found.add((local, await get(f"http://{local}:{port}/readyz")))
    assert found == {(local, (200, "ok\n")) for local in answering}


@pytest.mark.parametrize(
    "address",
    ["8080", "127.0.0.1", "127.0.0.1:", ":http", ":65536", "http://127.0.0.1:8080", ":8080/healthz", ""],
)
@pytest.mark.parametrize("flag", ["--health-probe-bind-address", "--metrics-bind-address"])
async def test_an_address_that_cannot_be_served(flag: str, address: str) -> None:
    with pytest.raises(ValueError, match=flag):
        async with serving(flag, address, {}):
            pass
