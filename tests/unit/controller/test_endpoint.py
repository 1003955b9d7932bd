"""Anything may listen where a helper should: nothing of what it serves is kept, unpacked or fatal."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from podpatterns.controller.endpoint import MAX_BYTES, Unreachable, new_session, read_endpoint, read_hash
from podpatterns.replicas.endpoint import Endpoint

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[Endpoint]:
    """Serve what the handler answers, at this endpoint."""
    app = web.Application()
    app.router.add_get("/", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield Endpoint("127.0.0.1", runner.addresses[0][1], "/", "0c2a")
    finally:
        await runner.cleanup()


async def test_what_comes_compressed_is_not_unpacked() -> None:
    packed = gzip.compress(bytes(100 * MAX_BYTES))
    assert len(packed) < MAX_BYTES

    async def bomb(_: web.Request) -> web.Response:
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    async with served(bomb) as endpoint, new_session() as session:
        assert await read_endpoint(session, endpoint) == packed


async def test_nothing_is_kept_of_who_was_polled() -> None:
    seen: list[tuple[object, str]] = []

    async def sticky(request: web.Request) -> web.Response:
        seen.append((request.transport, request.headers.get("Cookie", "")))
        response = web.Response(text="page")
        response.set_cookie("name", "value")
        return response

    async with served(sticky) as endpoint, new_session() as session:
        for _ in range(2):
            assert await read_endpoint(session, endpoint) == b"page"
    (first, _), (second, cookie) = seen
    assert first is not second
    assert not cookie


async def test_a_long_answer_is_not_read() -> None:
    async def long(_: web.Request) -> web.Response:
        return web.Response(body=bytes(MAX_BYTES + 1))

    async with served(long) as endpoint, new_session() as session:
        with pytest.raises(Unreachable, match="too long"):
            await read_endpoint(session, endpoint)


@pytest.mark.parametrize("told", ["", "0c2a566418", "a" * 64])
def test_hashes(told: str) -> None:
    assert read_hash(told) == told


@pytest.mark.parametrize("told", ["a" * 65, "a b", "\u05d0\u05d1", "\u202e", "٣", 3, None, ["a"]])
def test_no_hashes(told: object) -> None:
    with pytest.raises(ValueError, match="not a hash"):
        read_hash(told)
