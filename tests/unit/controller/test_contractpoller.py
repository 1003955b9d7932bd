"""Adapters are polled over real HTTP, and what the operator takes from pages that any program might serve."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from podpatterns.compose import MetricsEndpoint
from podpatterns.compose.adapter import CONTRACT_PAGE
from podpatterns.controller.contractpoller import (
    MAX_MISSING,
    MAX_WORD,
    NO_ADAPTER,
    Contracts,
    lacking,
    read_report,
)
from podpatterns.controller.endpoint import MAX_BYTES
from podpatterns.controller.key import Key
from podpatterns.replicas.contract import Answer, ContractTargets, Missing
from testbed.eventually import eventually

KEY = Key("Adapter", "default", "shop")
GOOD, SILENT, FICKLE = "127.0.0.1", "127.0.0.2", "127.0.0.3"


class Pods:
    """At one address is an adapter, at the next one nobody answers, at the last one always otherwise."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, float]] = []
        """Addresses and when, in the loop's seconds."""
        self.port = 0
        self.end = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        ip = str(request.url.host)
        self.asked.append((ip, asyncio.get_running_loop().time()))
        if ip == SILENT:
            await self.end.wait()
        missing = [{"metric": f"m{len(self.asked)}", "reason": "absent"}] if ip == FICKLE else []
        return web.Response(body=report(missing=missing))

    def targets(self, ip: str) -> ContractTargets:
        return ContractTargets("shop-0", ip, (MetricsEndpoint("a", self.port, "/metrics", "c", "0c2a56"),))


@pytest.fixture
async def pods() -> AsyncIterator[Pods]:
    served = Pods()
    app = web.Application()
    app.router.add_get(CONTRACT_PAGE, served.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "0.0.0.0", 0).start()  # noqa: S104 (several addresses of loopback)
    served.port = runner.addresses[0][1]
    yield served
    served.end.set()
    await runner.cleanup()


@asynccontextmanager
async def asking(news: list[Key]) -> AsyncIterator[Contracts]:
    contracts = Contracts(news.extend)
    running = asyncio.create_task(contracts.run())
    try:
        yield contracts
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_who_does_not_answer_keeps_no_other_namespace_waiting(pods: Pods) -> None:
    """24 Adapters with slow helpers were seen to make another tenant's wait for 15 s."""
    news: list[Key] = []
    async with asking(news) as contracts:
        for number in range(50):
            contracts.subscribe(Key("Adapter", "hostile", f"a{number}"), pods.targets(SILENT))
        await eventually(_asked(pods, SILENT))
        contracts.subscribe(KEY, pods.targets(GOOD))
        await eventually(_list(news))
        assert news == [KEY], "the hostile ones have not even timed out"


async def test_an_answer_that_always_differs_is_asked_for_more_rarely(pods: Pods) -> None:
    news: list[Key] = []
    async with asking(news) as contracts:
        contracts.subscribe(KEY, pods.targets(FICKLE))
        await eventually(_asked(pods, FICKLE), until=lambda times: len(times) == 3)
        first, second = (b - a for a, b in itertools.pairwise(await _asked(pods, FICKLE)()))
        assert second > 1.5 * first


async def test_a_forgotten_object_is_not_asked_about(pods: Pods) -> None:
    async with asking([]) as contracts:
        contracts.subscribe(KEY, pods.targets(GOOD))
        contracts.subscribe(KEY, None)
        other = KEY._replace(name="other")
        contracts.subscribe(other, pods.targets(FICKLE))
        contracts.subscribe(other, None)
        last = KEY._replace(name="last")
        contracts.subscribe(last, pods.targets(GOOD))
        await eventually(_asked(pods, GOOD))
        assert [ip for ip, _ in pods.asked] == [GOOD]
        assert len(contracts._queue) == 0
        contracts.subscribe(last, None)
        assert not contracts._queue._timers


def _asked(pods: Pods, ip: str) -> Any:
    async def asked() -> list[float]:
        return [when for asked, when in pods.asked if asked == ip]

    return asked


def _list(news: list[Key]) -> Any:
    async def told() -> list[Key]:
        return list(news)

    return told


def test_coming_nearer_to_a_contract() -> None:
    one = Missing("m", "absent")
    steps = [
        Answer(trouble="status 404"),
        Answer("old"),
        Answer("new", (one,) * MAX_MISSING),
        Answer("new", (one, one)),
        Answer("new", (one,)),
        Answer("new"),
    ]
    assert lacking("new", None) == lacking("new", steps[0])
    assert lacking("new", Answer("old", refused="bad")) == lacking("new", steps[1])
    found = [lacking("new", answer) for answer in steps]
    assert found == sorted(set(found), reverse=True)
    assert found[-1] == 0


def report(**fields: Any) -> bytes:
    whole = {"contract": "red/v1", "config": "0c2a566418", "satisfied": True, "missing": []}
    return json.dumps({**whole, **fields}).encode()


def test_a_report() -> None:
    missing = [{"metric": "app_errors_total", "reason": "absent"}]
    assert read_report(report(missing=missing)) == Answer(
        "0c2a566418", (Missing("app_errors_total", "absent"),)
    )


def test_a_report_is_kept_small() -> None:
    missing = [{"metric": "m" * 1000, "reason": "absent"}] * 1000
    found = read_report(report(missing=missing))
    assert len(found.missing) == MAX_MISSING
    assert len(found.missing[0].metric.encode()) == MAX_WORD


def test_what_is_told_obeys_nobody() -> None:
    missing = [{"metric": "m\u202e\x1b[2J", "reason": "a\nb\ud800"}]
    found = read_report(report(missing=missing, refused="no\x9bway"))
    assert found.missing == (Missing("m\\u202e\\x1b[2J", "a b\\ud800"),)
    assert found.refused == "no\\x9bway"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"<html>",
        b"[" * MAX_BYTES,
        b"[]",
        b"3",
        b"{}",
        report(config=3),
        report(config="a" * 65),
        report(config="<script>"),
        report(missing=None),
        report(missing=[3]),
        b"\xff",
    ],
)
def test_something_else_is_no_adapter(text: bytes) -> None:
    assert read_report(text) == NO_ADAPTER


@given(st.binary() | st.recursive(st.none() | st.text(), st.lists).map(lambda v: report(missing=v)))
def test_whatever_is_there_does_no_harm(text: bytes) -> None:
    assert read_report(text).trouble or read_report(text).hash
