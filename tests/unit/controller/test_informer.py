"""The informer among odd records, events and ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from aiohttp import web

from podpatterns.controller.apiserver import ApiServer
from podpatterns.controller.health import Health
from podpatterns.controller.informer import Informer
from podpatterns.controller.key import Key
from podpatterns.controller.metrics import MALFORMED_WATCH_EVENTS, SKIPPED_RECORDS
from tests.unit.controller.server import event, is_watch, listing, record, serving, stream


class Names:
    """A store of names that can't bear an object with a field `odd`."""

    def __init__(self) -> None:
        self.by_uid: dict[str, str] = {}
        self.news = asyncio.Event()

    def put(self, obj: Mapping[str, Any]) -> set[Key]:
        if "odd" in obj:
            raise RecursionError(obj["odd"])
        name = obj["metadata"]["name"]
        self.by_uid[obj["metadata"]["uid"]] = name
        return {Key("SidecarApp", "ns", name)}

    def remove(self, uid: str, version: int) -> set[Key]:  # noqa: ARG002
        return {Key("SidecarApp", "ns", self.by_uid.pop(uid))}

    def sweep(self, listed: Iterable[str], version: int, namespace: str) -> set[Key]:  # noqa: ARG002
        present = set(listed)
        self.by_uid = {uid: name for uid, name in self.by_uid.items() if uid in present}
        return set()

    def changed(self, _: Iterable[Key]) -> None:
        self.news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                self.news.clear()
                await self.news.wait()


def informer(api: ApiServer, store: Names) -> Informer:
    return Informer(api, "pods", store, store.changed, Health())


async def following(api: ApiServer, store: Names, done: Awaitable[None]) -> None:
    """Runs an informer until `done`."""
    running = asyncio.create_task(informer(api, store).run())
    try:
        await done
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


def counted(metric: Any) -> float:
    value: float = metric.labels("pods")._value.get()
    return value


async def test_a_record_that_cannot_be_read_is_skipped(caplog: pytest.LogCaptureFixture) -> None:
    versions: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        if not is_watch(request):
            return listing([record("listed"), record("bad", odd="in the list"), None, 3, {"metadata": None}])
        versions.append(request.query["resourceVersion"])
        return await stream(
            request,
            event("ADDED", record("bad", 11, odd="in the watch")),
            event("ADDED", record("watched", 12)),
            event("DELETED", record("never-seen", 13)),
            event("DELETED", {"metadata": {"resourceVersion": "14"}}),
        )

    before, store = counted(SKIPPED_RECORDS), Names()
    async with serving(handler) as api:
        await following(api, store, store.until(lambda: len(versions) > 1))
    assert sorted(store.by_uid.values()) == ["listed", "watched"]
    assert versions[:2] == ["10", "14"]
    assert counted(SKIPPED_RECORDS) - before >= 7
    skipped = [r for r in caplog.records if r.getMessage().startswith("Record skipped")]
    assert [r.__dict__["object"] for r in skipped].count("ns/bad") == 1, "told once"


async def test_what_is_no_event_makes_it_list_again(caplog: pytest.LogCaptureFixture) -> None:
    lists = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal lists
        if is_watch(request):
            first = lists == 1
            return await stream(request, b"<html>" if first else event("ADDED", record("watched", 21)))
        lists += 1
        return listing([] if lists == 1 else [record("missed")], version=10 * lists)

    before, store = counted(MALFORMED_WATCH_EVENTS), Names()
    async with serving(handler) as api:
        await following(api, store, store.until(lambda: "watched" in store.by_uid.values()))
    assert sorted(store.by_uid.values()) == ["missed", "watched"]
    assert counted(MALFORMED_WATCH_EVENTS) == before + 1


async def test_watches_that_end_at_once_are_begun_more_and_more_rarely() -> None:
    begun: list[float] = []
    store = Names()

    async def handler(request: web.Request) -> web.StreamResponse:
        if not is_watch(request):
            return listing([])
        begun.append(asyncio.get_running_loop().time())
        store.news.set()
        return await stream(request)

    async with serving(handler) as api:
        await following(api, store, store.until(lambda: len(begun) == 4))
    gaps = [later - sooner for sooner, later in pairwise(begun)]
    assert gaps[0] >= 0.1
    assert gaps[1] >= 0.2
    assert gaps[2] >= 0.4


async def test_a_list_is_brought_up_to_date_once() -> None:
    lists = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal lists
        lists += 1
        return listing([record(f"list-{lists}")])

    store = Names()
    async with serving(handler) as api:
        followed = informer(api, store)
        for number in (1, 2):
            moment = time.monotonic()
            await followed.relist_if_older(moment)
            assert list(store.by_uid.values()) == [f"list-{number}"]
            await followed.relist_if_older(moment)
            assert lists == number
