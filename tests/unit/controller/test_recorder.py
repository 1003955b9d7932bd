"""Events that the server refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from aiohttp import web

from podpatterns.api.conditions import EventReason
from podpatterns.controller.apiserver import SHORTEST_PAUSE
from podpatterns.controller.key import Key
from podpatterns.controller.recorder import Recorder
from tests.unit.controller.server import refusal, serving


async def test_events_sort_by_time_as_kubectl_sorts_them() -> None:
    """By lastTimestamp, in whole seconds, and those of one second as the server lists them: by name."""
    written: list[dict[str, Any]] = []
    enough = asyncio.Event()

    async def handler(request: web.Request) -> web.Response:
        written.append(await request.json())
        if len(written) == 50:
            enough.set()
        return web.json_response({})

    async with serving(handler) as api:
        recorder = Recorder(api)
        for number in range(50):
            key = Key("SidecarApp", "ns", "site")
            recorder.normal(key, "uid", EventReason.SUCCESSFUL_CREATE, "Act", str(number))
        running = asyncio.create_task(recorder.run())
        async with asyncio.timeout(20):
            await enough.wait()
        running.cancel()
    listed = sorted(written, key=lambda event: str(event["metadata"]["name"]))
    listed.sort(key=lambda event: str(event["lastTimestamp"]))
    assert [event["message"] for event in listed] == [str(number) for number in range(50)]
    assert {event["count"] for event in listed} == {1}


async def refused(count: int, answer: Callable[[], web.Response]) -> list[float]:
    """When each of so many Events was asked for, where all get this answer."""
    moments: list[float] = []
    enough = asyncio.Event()

    async def handler(_: web.Request) -> web.Response:
        moments.append(asyncio.get_running_loop().time())
        if len(moments) == count:
            enough.set()
        return answer()

    async with serving(handler) as api:
        recorder = Recorder(api)
        for number in range(count):
            key = Key("SidecarApp", "ns", f"site-{number}")
            recorder.normal(key, "uid", EventReason.SUCCESSFUL_CREATE, "Act", "note")
        running = asyncio.create_task(recorder.run())
        async with asyncio.timeout(20):
            await enough.wait()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    return moments


@pytest.mark.parametrize(
    "answer",
    [
        lambda: refusal(403, details={"causes": [{"reason": "NamespaceTerminating"}]}),
        lambda: refusal(404, reason="NotFound"),
    ],
)
async def test_of_a_namespace_that_goes_nobody_is_told(
    answer: Callable[[], web.Response], caplog: pytest.LogCaptureFixture
) -> None:
    await refused(3, answer)
    assert not [r for r in caplog.records if r.name.startswith("podpatterns")]


async def test_another_refusal_is_told(caplog: pytest.LogCaptureFixture) -> None:
    await refused(2, lambda: refusal(403))
    assert [r for r in caplog.records if r.name.startswith("podpatterns")]


@pytest.mark.parametrize("header", ["0", "soon", "1"])
async def test_an_overloaded_server_is_left_alone(header: str) -> None:
    first, second = await refused(2, lambda: web.Response(status=429, headers={"Retry-After": header}))
    assert second - first >= SHORTEST_PAUSE
