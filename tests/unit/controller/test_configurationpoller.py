"""Helpers are polled over real HTTP, and only as long as there is something to find out."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from itertools import pairwise

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from podpatterns.compose import File
from podpatterns.compose.adapter import CONTRACT_PAGE
from podpatterns.compose.helpers.proxy import CONFIG_PAGE
from podpatterns.controller.configurationpoller import (
    MAX_REFUSAL,
    MAX_REFUSALS,
    ONE_MORE,
    Configurations,
    bounded,
    read_running,
)
from podpatterns.controller.endpoint import MAX_HASH
from podpatterns.controller.key import Key
from podpatterns.replicas.configuration import NO_ANSWER, Address, ConfigurationTargets, Running
from testbed.eventually import eventually

KEY = Key("Ambassador", "default", "shop")
ONE, TWO = Address("shop-0", "uid-0", "127.0.0.1"), Address("shop-1", "uid-1", "127.0.0.2")
SILENT, FICKLE = "127.0.0.3", "127.0.0.4"


class Pods:
    """Each tells at its address what its helper runs."""

    def __init__(self) -> None:
        self.runs: dict[str, str] = {}
        self.asked: Counter[str] = Counter()
        self.times: dict[str, list[float]] = defaultdict(list)
        """When, in the loop's seconds."""
        self.port = 0
        self.end = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        ip = str(request.url.host)
        self.asked[ip] += 1
        self.times[ip].append(asyncio.get_running_loop().time())
        if ip == SILENT:
            await self.end.wait()
        if ip == FICKLE:
            return web.Response(text=f"other{self.asked[ip]}\n")
        return web.Response(text=self.runs.get(ip, "older") + "\n")

    def file(self, text: str) -> File:
        return File("haproxy", "key", text, self.port, CONFIG_PAGE)


@pytest.fixture
async def pods() -> AsyncIterator[Pods]:
    served = Pods()
    app = web.Application()
    app.router.add_get(CONFIG_PAGE, served.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "0.0.0.0", 0).start()  # noqa: S104 (two addresses of loopback)
    served.port = runner.addresses[0][1]
    yield served
    served.end.set()
    await runner.cleanup()


@asynccontextmanager
async def asking(news: list[Key]) -> AsyncIterator[Configurations]:
    configurations = Configurations(news.extend)
    running = asyncio.create_task(configurations.run())
    try:
        yield configurations
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_a_helper_that_runs_what_it_should_is_asked_no_more(pods: Pods) -> None:
    news: list[Key] = []
    file = pods.file("new")
    pods.runs[ONE.ip] = file.hash
    wanted = ConfigurationTargets((file,), (ONE, TWO))
    async with asking(news) as configurations:
        configurations.subscribe(KEY, wanted)
        assert configurations.answers(KEY) is None
        said = await eventually(_said(configurations))
        assert said == {("uid-0", "haproxy"): Running(file.hash), ("uid-1", "haproxy"): Running("older")}
        assert news == [KEY]

        await eventually(_asked(pods, TWO), until=lambda times: times == 3)
        assert pods.asked[ONE.ip] == 1
        assert news == [KEY]  # the same answer is no news

        pods.runs[TWO.ip] = file.hash
        await eventually(_said(configurations), until=lambda said: Running("older") not in said.values())
        assert news == [KEY, KEY]


async def test_another_configuration_and_another_pod_are_asked_about_anew(pods: Pods) -> None:
    file, newer = pods.file("new"), pods.file("newer")
    pods.runs = {ONE.ip: file.hash, TWO.ip: newer.hash}
    async with asking([]) as configurations:
        configurations.subscribe(KEY, ConfigurationTargets((file,), (ONE,)))
        await eventually(_said(configurations))
        configurations.subscribe(KEY, ConfigurationTargets((newer,), (ONE, TWO)))
        assert configurations.answers(KEY) == {("uid-0", "haproxy"): Running(file.hash)}
        pods.runs[ONE.ip] = newer.hash
        said = await eventually(
            _said(configurations),
            until=lambda said: set(said.values()) == {Running(newer.hash)},
        )
        assert len(said) == 2
        configurations.subscribe(KEY, ConfigurationTargets((newer,), (TWO,)))
        assert configurations.answers(KEY) == {("uid-1", "haproxy"): Running(newer.hash)}


async def test_a_pod_that_does_not_answer_is_known_not_to(pods: Pods) -> None:
    nobody = ConfigurationTargets((File("haproxy", "key", "new", 1, CONFIG_PAGE),), (ONE,))
    async with asking([]) as configurations:
        configurations.subscribe(KEY, nobody)
        assert await eventually(_said(configurations)) == {("uid-0", "haproxy"): NO_ANSWER}
        configurations.subscribe(KEY, None)
        assert not configurations._queue._timers
        configurations.subscribe(KEY, ConfigurationTargets((pods.file("new"),), (ONE,)))
        assert configurations.answers(KEY) is None


async def test_who_does_not_answer_keeps_no_other_namespace_waiting(pods: Pods) -> None:
    """24 Adapters with slow helpers were seen to make another tenant's wait for 15 s."""
    news: list[Key] = []
    file = pods.file("new")
    pods.runs[ONE.ip] = file.hash
    silent = ConfigurationTargets((file,), tuple(Address(f"p-{n}", f"uid-{n}", SILENT) for n in range(50)))
    async with asking(news) as configurations:
        for number in range(50):
            configurations.subscribe(Key("Adapter", "hostile", f"a{number}"), silent)
        configurations.subscribe(KEY, ConfigurationTargets((file,), (ONE,)))
        await eventually(_copy(news))
        assert news == [KEY], "the hostile ones have not even timed out"
        assert pods.asked[SILENT] > 0


async def test_an_answer_that_always_differs_is_asked_for_more_rarely(pods: Pods) -> None:
    fickle = ConfigurationTargets((pods.file("new"),), (Address("shop-0", "uid-0", FICKLE),))
    async with asking([]) as configurations:
        configurations.subscribe(KEY, fickle)
        await eventually(_asked(pods, fickle.pods[0]), until=lambda times: times == 3)
        first, second = (b - a for a, b in pairwise(pods.times[FICKLE]))
        assert second > 1.5 * first


async def test_pods_that_arrive_one_by_one_are_told_at_once(pods: Pods) -> None:
    file = pods.file("new")
    addresses = tuple(Address(f"shop-{n}", f"uid-{n}", f"127.0.1.{n}") for n in range(1, 5))
    async with asking([]) as configurations:
        configurations.subscribe(KEY, ConfigurationTargets((file,), addresses))
        for arrived, pod in enumerate(addresses):
            pods.runs[pod.ip] = file.hash
            await eventually(
                _said(configurations),
                until=lambda said, n=arrived: Counter(said.values())[Running(file.hash)] > n,  # type: ignore[misc]
            )
        times = pods.times[addresses[-1].ip]
        assert all(later - earlier < 1.5 for earlier, later in pairwise(times))


def test_refusals_of_many_pods_are_kept_few() -> None:
    told = {(f"uid-{n}", "haproxy"): Running("old", f"reason {n}") for n in range(1_000)}
    found = bounded(told)
    assert list(found) == list(told)
    refusals = [running.refused for running in found.values()]
    assert refusals == [f"reason {n}" for n in range(MAX_REFUSALS)] + [ONE_MORE] * (1_000 - MAX_REFUSALS)
    assert bounded(found) == found


def test_one_refusal_of_many_pods_is_kept_once() -> None:
    told = {(f"uid-{n}", "haproxy"): Running("old", "".join(["no ", "file"])) for n in range(3)}
    first, *others = bounded({**told, ("uid-3", "haproxy"): Running("new")}).values()
    assert [running.refused is first.refused for running in others] == [True, True, False]
    assert others[-1] == Running("new")


Said = dict[tuple[str, str], Running]


def _said(configurations: Configurations) -> Callable[[], Awaitable[Said]]:
    async def said() -> Said:
        return dict(configurations.answers(KEY) or {})

    return said


def _copy(news: list[Key]) -> Callable[[], Awaitable[list[Key]]]:
    async def told() -> list[Key]:
        return list(news)

    return told


def _asked(pods: Pods, pod: Address) -> Callable[[], Awaitable[int]]:
    async def asked() -> int:
        return pods.asked[pod.ip]

    return asked


@pytest.mark.parametrize(
    ("text", "page", "running"),
    [
        (b"0c2a566418\n", CONFIG_PAGE, Running("0c2a566418")),
        (b"\nno such file\n", CONFIG_PAGE, Running("", "no such file")),
        (b"0c2a\nhaproxy -c: one\n  two\n", CONFIG_PAGE, Running("0c2a", "haproxy -c: one two")),
        (b'{"config":"0c2a","missing":[]}', CONTRACT_PAGE, Running("0c2a")),
        (b'{"config":"0c2a","refused":"rules[0]: bad"}', CONTRACT_PAGE, Running("0c2a", "rules[0]: bad")),
        (b"", CONFIG_PAGE, Running()),
        (b"0c2a\n\x1b[2Jbad\n", CONFIG_PAGE, Running("0c2a", "\\x1b[2Jbad")),
        (b'{"config":"0c2a","refused":"\\ud800\\u202e"}', CONTRACT_PAGE, Running("0c2a", "\\ud800\\u202e")),
        (b"a" * 65, CONFIG_PAGE, NO_ANSWER),
        ("\u05d0".encode(), CONFIG_PAGE, NO_ANSWER),
        (b"<html>", CONFIG_PAGE, NO_ANSWER),
        (b"\xff", CONFIG_PAGE, NO_ANSWER),
        (b"[]", CONTRACT_PAGE, NO_ANSWER),
        (b'{"config":3}', CONTRACT_PAGE, NO_ANSWER),
        (b'{"config":"0c2a","refused":null}', CONTRACT_PAGE, NO_ANSWER),
    ],
)
def test_what_is_made_of_a_page(text: bytes, page: str, running: Running) -> None:
    assert read_running(text, page) == running


@given(st.binary(), st.sampled_from([CONFIG_PAGE, CONTRACT_PAGE]))
def test_whatever_is_there_does_no_harm(text: bytes, page: str) -> None:
    found = read_running(text, page)
    assert len(found.hash) <= MAX_HASH
    assert len(found.refused.encode()) <= MAX_REFUSAL
