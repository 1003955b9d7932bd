"""The whole lists of our kinds, where some are missing and some are odd."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from podpatterns.api import API_VERSION, GROUP, KINDS
from podpatterns.controller import resync
from podpatterns.controller.apiserver import ApiServer
from podpatterns.controller.health import Health
from podpatterns.controller.key import Key
from podpatterns.controller.objectstore import ObjectStore
from podpatterns.controller.resync import Resync
from testbed.eventually import eventually
from tests.unit.controller.server import listing, refusal, serving

PLURALS = frozenset(kind.plural for kind in KINDS)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resync, "RETRY", 0.05)


def site(name: str, version: int = 1, **fields: Any) -> dict[str, Any]:
    meta = {
        "namespace": "ns",
        "name": name,
        "uid": f"uid-{name}",
        "generation": 1,
        "resourceVersion": str(version),
    }
    return {"apiVersion": API_VERSION, "kind": "SidecarApp", "metadata": meta, "spec": {}, **fields}


@dataclass
class Kinds:
    """An API server that serves some kinds and shows some."""

    served: frozenset[str] = PLURALS
    shown: frozenset[str] = PLURALS
    sites: list[Any] = field(default_factory=list)
    lists: int = 0

    forbidden: frozenset[str] = frozenset()
    """Namespaces in which nothing may be listed."""

    async def handle(self, request: web.Request) -> web.Response:
        if request.path == "/apis":
            return web.json_response({"groups": [{"name": GROUP}] if self.shown else []})
        if request.path == f"/apis/{API_VERSION}":
            return web.json_response({"resources": [{"name": name} for name in self.shown]})
        plural = request.path.rpartition("/")[2]
        if plural not in self.served:
            return refusal(404, reason="NotFound")
        _, _, namespace = request.path.removesuffix(f"/{plural}").partition("/namespaces/")
        if namespace in self.forbidden:
            return refusal(403, reason="Forbidden")
        self.lists += plural == "sidecarapps"
        found = [s for s in self.sites if not namespace or s["metadata"]["namespace"] == namespace]
        return listing(found if plural == "sidecarapps" else [])


def made(api: ApiServer, store: ObjectStore, health: Health, *namespaces: str) -> Resync:
    return Resync(api, store, lambda _: None, health, namespaces)


@asynccontextmanager
async def running(kinds: Kinds, *namespaces: str) -> AsyncIterator[tuple[Resync, ObjectStore, Health]]:
    store, health = ObjectStore(), Health()
    async with serving(kinds.handle) as api:
        found = made(api, store, health, *namespaces)
        task = asyncio.create_task(found.run())
        try:
            async with asyncio.timeout(20):
                yield found, store, health
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def until(condition: Callable[[], object]) -> None:
    async def looked() -> object:
        return condition()

    await eventually(looked)


async def test_a_missing_kind_is_told_and_taken_up() -> None:
    kinds = Kinds(served=PLURALS - {"adapters"}, shown=PLURALS - {"adapters"}, sites=[site("a")])
    async with running(kinds) as (found, store, health):
        await found.before_discovery()
        assert len(store) == 1
        assert health.notes == ["CustomResourceDefinitions missing: Adapter"]
        assert not health.stuck()
        kinds.served = kinds.shown = PLURALS
        await found.installed.wait()
        assert health.notes == []
        await found.before_discovery()
        assert not found.installed.is_set()


async def test_what_is_served_and_not_shown_is_waited_for() -> None:
    kinds = Kinds(shown=frozenset())
    async with running(kinds) as (found, _, _):
        await until(lambda: kinds.lists > 2)
        assert not found.synced.is_set()
        kinds.shown = PLURALS
        await found.synced.wait()


async def test_a_forbidden_namespace_is_told_and_taken_up() -> None:
    kinds = Kinds(sites=[site("a")], forbidden=frozenset({"closed"}))
    async with running(kinds, "ns", "closed") as (found, store, health):
        await found.before_discovery()
        assert (len(store), found.permitted) == (1, ["ns"])
        assert health.notes == ["Namespaces forbidden: closed"]
        kinds.forbidden = frozenset()
        await found.installed.wait()
        await until(lambda: found.permitted == ["ns", "closed"] and health.notes == [])


async def test_objects_stay_while_their_namespace_is_forbidden() -> None:
    kinds = Kinds(sites=[site("a")])
    async with running(kinds, "ns", "other") as (found, store, health):
        await found.before_discovery()
        kinds.forbidden = frozenset({"ns"})
        kinds.sites = []
        await found.relist_if_older(time.monotonic())
        assert health.notes == ["Namespaces forbidden: ns"]
        assert len(store) == 1
        kinds.forbidden = frozenset()
        await until(lambda: len(store) == 0)


async def test_it_waits_where_nothing_is_installed() -> None:
    kinds = Kinds(served=frozenset(), shown=frozenset())
    async with running(kinds) as (found, _, health):
        await until(lambda: health.notes)
        assert not found.synced.is_set()
        kinds.served = kinds.shown = PLURALS
        await found.synced.wait()


async def test_a_kind_that_kopf_did_not_find_is_looked_for_although_its_list_is_there() -> None:
    """It came back between kopf's look and ours."""
    kinds = Kinds()
    async with running(kinds) as (found, _, _):
        await found.synced.wait()
        kinds.shown = PLURALS - {"adapters"}
        await found.before_discovery()
        kinds.shown = PLURALS
        await found.installed.wait()


async def test_objects_go_with_their_kind() -> None:
    kinds = Kinds(sites=[site("a")])
    async with serving(kinds.handle) as api:
        store = ObjectStore()
        found = made(api, store, Health())
        await found.relist_if_older(time.monotonic())
        assert len(store) == 1
        kinds.served = PLURALS - {"sidecarapps"}
        await found.relist_if_older(time.monotonic())
        assert len(store) == 0


async def test_odd_objects_are_skipped() -> None:
    nameless = site("x")
    del nameless["metadata"]["name"]
    kinds = Kinds(sites=[None, 3, {}, {"metadata": None}, nameless, site("a"), site("b", metadata=[])])
    async with serving(kinds.handle) as api:
        store = ObjectStore()
        found = made(api, store, Health())
        await found.relist_if_older(time.monotonic())
        for odd in (
            {},
            {"kind": 3},
            {"kind": "SidecarApp"},
            {"kind": "SidecarApp", "metadata": []},
            nameless,
        ):
            for event_type in (None, "ADDED", "DELETED"):
                found.see(event_type, odd)
        assert len(store) == 1
        assert store.get(Key("SidecarApp", "ns", "a"))


async def test_lists_are_brought_up_to_date_once() -> None:
    kinds = Kinds()
    async with serving(kinds.handle) as api:
        found = made(api, ObjectStore(), Health())
        moment = time.monotonic()
        await found.relist_if_older(moment)
        await found.relist_if_older(moment)
        assert kinds.lists == 1


async def test_nothing_is_kept_of_what_a_list_lacks() -> None:
    kinds = Kinds(sites=[site("a"), site("b")])
    async with serving(kinds.handle) as api:
        found = made(api, ObjectStore(), Health())
        for listed in kinds.sites:
            found.see(None, listed)
        kinds.sites = [site("a")]
        await found.relist_if_older(time.monotonic())
        assert found._listed_by_kopf == {"uid-a": Key("SidecarApp", "ns", "a")}
