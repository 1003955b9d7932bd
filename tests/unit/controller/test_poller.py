"""Polling as such: who is polled when, whatever the answers mean."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from aiohttp import web

from podpatterns.controller.key import Key
from podpatterns.controller.poller import Poller
from podpatterns.replicas.endpoint import Endpoint
from testbed.eventually import eventually

KEY = Key("Adapter", "good", "a")


@dataclass(frozen=True)
class Paths:
    """Targets that are told apart by the path at which they serve."""

    port: int
    paths: tuple[str, ...]

    def endpoints(self) -> Iterator[tuple[str, Endpoint]]:
        for path in self.paths:
            yield path, Endpoint("127.0.0.1", self.port, path, "new")


class Server:
    """Serves at every path what `serves` says; 404 where it says nothing."""

    def __init__(self) -> None:
        self.serves: dict[str, str] = {}
        self.polls: list[str] = []
        self.port = 0

    async def answer(self, request: web.Request) -> web.Response:
        self.polls.append(request.path)
        text = self.serves.get(request.path)
        return web.Response(status=404) if text is None else web.Response(text=text)

    async def polled(self) -> list[str]:
        return list(self.polls)

    def targets(self, *paths: str) -> Paths:
        return Paths(self.port, paths)


@asynccontextmanager
async def serving(handler: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[int]:
    """Serve every path; with the port."""
    app = web.Application()
    app.router.add_get("/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def polling(*, until_current: bool = True) -> AsyncIterator[tuple[Server, Poller[str, str], list[Key]]]:
    """Poll a server; with the keys of which there was news."""

    def read(text: bytes, path: str) -> str:
        if text == b"unforeseen":
            raise RuntimeError(path)
        return text.decode()

    server, news = Server(), list[Key]()
    poller: Poller[str, str] = Poller(
        news.extend,
        read=read,
        unreachable=lambda why: why,
        lacking=lambda hash_, answer: int(answer != hash_),
        until_current=until_current,
    )
    async with serving(server.answer) as server.port:
        running = asyncio.create_task(poller.run())
        try:
            yield server, poller, news
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


async def test_reading_answers_polls_nobody() -> None:
    async with polling() as (_, poller, _):
        assert poller.answers(KEY) is None
        assert not poller._polls


async def test_all_targets_of_an_object_are_one_piece_of_news() -> None:
    async with polling() as (server, poller, news):
        server.serves = {"/a": "new", "/b": "old"}
        poller.subscribe(KEY, server.targets("/a", "/b", "/c"))
        await eventually(server.polled, until=lambda polls: len(polls) > 3)
        assert poller.answers(KEY) == {"/a": "new", "/b": "old", "/c": "status 404"}
        assert news == [KEY]
        assert server.polls.count("/a") == 1, "it is current"


async def test_the_same_targets_begin_nothing_anew() -> None:
    async with polling() as (server, poller, _):
        server.serves["/a"] = "new"
        poller.subscribe(KEY, server.targets("/a"))
        await eventually(server.polled)
        answers = await _answers(poller)
        poller.subscribe(KEY, server.targets("/a"))
        assert not poller._queue._timers
        assert poller.answers(KEY) is answers


async def test_current_targets_are_polled_on_where_that_is_asked_for() -> None:
    async with polling(until_current=False) as (server, poller, news):
        server.serves["/a"] = "new"
        poller.subscribe(KEY, server.targets("/a"))
        await eventually(server.polled, until=lambda polls: polls == ["/a", "/a"])
        assert news == [KEY]


async def test_answers_of_targets_that_went_are_dropped_at_once() -> None:
    async with polling() as (server, poller, _):
        server.serves = {"/a": "new", "/b": "new"}
        poller.subscribe(KEY, server.targets("/a", "/b"))
        await _answers(poller)
        poller.subscribe(KEY, server.targets("/b", "/c"))
        assert poller.answers(KEY) == {"/b": "new"}
        poller.subscribe(KEY, None)
        assert poller.answers(KEY) is None


async def test_one_surprise_ends_no_polls() -> None:
    async with polling() as (server, poller, news):
        server.serves = {"/bad": "unforeseen", "/good": "new"}
        poller.subscribe(Key("Adapter", "bad", "a"), server.targets("/bad"))
        poller.subscribe(KEY, server.targets("/good"))
        await eventually(server.polled, until=lambda polls: polls.count("/bad") >= 2)
        assert news == [KEY]


async def test_a_surprise_at_the_moment_of_the_end_does_not_outlive_it() -> None:
    async def serve(_: web.Request) -> web.Response:
        return web.Response(text="any")

    def read(_: bytes, path: str) -> str:
        running.cancel()
        raise RuntimeError(path)

    poller: Poller[str, str] = Poller(
        lambda _: None, read=read, unreachable=str, lacking=lambda *_: 1, until_current=True
    )
    async with serving(serve) as port:
        poller.subscribe(KEY, Paths(port, ("/a",)))
        running = asyncio.create_task(poller.run())
        done, _ = await asyncio.wait([running], timeout=10)
    assert done


async def _answers(poller: Poller[str, str]) -> object:
    async def answers() -> object:
        return poller.answers(KEY)

    return await eventually(answers)
