"""Pages that anything may serve: nothing of them is kept, unpacked or fatal."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest
from aiohttp import web

from podpatterns.controller.key import Key
from podpatterns.controller.page import (
    MAX_BYTES,
    NoPage,
    ask_on,
    new_queue,
    new_session,
    read_hash,
    read_page,
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[str]:
    """A server, and its URL."""
    app = web.Application()
    app.router.add_get("/", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def test_what_comes_compressed_is_not_unpacked() -> None:
    packed = gzip.compress(bytes(100 * MAX_BYTES))
    assert len(packed) < MAX_BYTES

    async def bomb(_: web.Request) -> web.Response:
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    async with served(bomb) as url, new_session() as session:
        assert await read_page(session, url) == packed


async def test_nothing_is_kept_of_who_was_asked() -> None:
    seen: list[tuple[object, str]] = []

    async def sticky(request: web.Request) -> web.Response:
        seen.append((request.transport, request.headers.get("Cookie", "")))
        response = web.Response(text="page")
        response.set_cookie("name", "value")
        return response

    async with served(sticky) as url, new_session() as session:
        for _ in range(2):
            assert await read_page(session, url) == b"page"
    (first, _), (second, cookie) = seen
    assert first is not second
    assert not cookie


async def test_a_long_page_is_not_read() -> None:
    async def long(_: web.Request) -> web.Response:
        return web.Response(body=bytes(MAX_BYTES + 1))

    async with served(long) as url, new_session() as session:
        with pytest.raises(NoPage, match="too long"):
            await read_page(session, url)


async def test_one_surprise_ends_no_questions() -> None:
    queue = new_queue(2)
    bad, good = Key("Adapter", "bad", "a"), Key("Adapter", "good", "a")
    asked: list[Key] = []
    again = asyncio.Event()

    async def ask(_: aiohttp.ClientSession, key: Key) -> None:
        asked.append(key)
        if asked.count(bad) == 2:
            again.set()
        if key == bad:
            raise RuntimeError("unforeseen")

    asking = asyncio.create_task(ask_on(queue, 2, ask))
    queue.add(bad)
    queue.add(good)
    async with asyncio.timeout(10):
        await again.wait()
    assert asked == [bad, good, bad]
    assert not asking.done()
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking


@pytest.mark.parametrize("told", ["", "0c2a566418", "a" * 64])
def test_hashes(told: str) -> None:
    assert read_hash(told) == told


@pytest.mark.parametrize("told", ["a" * 65, "a b", "\u05d0\u05d1", "\u202e", "٣", 3, None, ["a"]])
def test_no_hashes(told: object) -> None:
    with pytest.raises(ValueError, match="not a hash"):
        read_hash(told)
