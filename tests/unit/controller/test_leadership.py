"""Who leads, as the Lease tells it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from podpatterns.controller import leadership as leadership_module
from podpatterns.controller.leadership import (
    LEASE_SECONDS,
    RETRY_SECONDS,
    ClusterLease,
    Leadership,
    LeadershipLostError,
)
from podpatterns.controller.metrics import LEADER
from testbed.eventually import eventually
from tests.unit.controller.server import refusal, serving


@dataclass
class Lease:
    """The Lease, and a server that keeps nothing else. Others may take it by a change of `spec`."""

    spec: dict[str, Any] | None = None
    version: int = 1
    hide: bool = False
    """Reads tell of an earlier moment, at which we held it."""
    seen: dict[str, Any] = field(default_factory=dict)

    def take(self, holder: str) -> None:
        assert self.spec
        self.version += 1
        self.spec = {**self.spec, "holderIdentity": holder}

    async def handle(self, request: web.Request) -> web.Response:
        if request.method == "GET":
            if self.spec is None:
                return refusal(404, reason="NotFound")
            return self.answer()
        body = await request.json()
        if request.method == "PUT" and body["metadata"]["resourceVersion"] != str(self.version):
            self.hide = False
            return refusal(409, reason="Conflict")
        self.version += 1
        self.spec = body["spec"]
        return self.answer()

    def answer(self) -> web.Response:
        if not self.hide:
            self.seen = {"metadata": {"resourceVersion": str(self.version)}, "spec": self.spec}
        return web.json_response(self.seen)


@asynccontextmanager
async def candidate(
    leases: Lease | Leases, namespace: str = "kube-system", *, gives_way: bool = False
) -> AsyncIterator[tuple[Leadership, asyncio.Task[None]]]:
    async with serving(leases.handle) as api:
        leadership = Leadership(api, namespace, "us", gives_way=gives_way)
        running = asyncio.create_task(leadership.run())
        try:
            yield leadership, running
        finally:
            running.cancel()
            await asyncio.wait([running])


@pytest.mark.parametrize("hide", [False, True])
async def test_it_stops_as_soon_as_it_sees_another_holder(hide: bool) -> None:
    """By reading the Lease, or by the conflict that its own update meets."""
    lease = Lease()
    began = time.monotonic()
    async with candidate(lease) as (leadership, running), asyncio.timeout(20):
        await leadership.elected.wait()
        assert began <= leadership.elected_at <= time.monotonic()
        leadership.check()
        lease.hide = hide
        lease.take("them")
        taken = asyncio.get_running_loop().time()
        with pytest.raises(LeadershipLostError, match="them"):
            await running
        assert asyncio.get_running_loop().time() - taken < 3 * RETRY_SECONDS
        with pytest.raises(LeadershipLostError):
            leadership.check()
        assert LEADER._value.get() == 0
        await leadership.release()
        assert lease.spec
        assert lease.spec["holderIdentity"] == "them", "what is theirs is left alone"


async def test_a_first_attempt_is_over_when_another_one_leads() -> None:
    held = {
        "holderIdentity": "them",
        "leaseDurationSeconds": LEASE_SECONDS,
        "acquireTime": "2026-01-01T00:00:00.000000Z",
        "renewTime": "2026-01-01T00:00:00.000000Z",
    }
    lease = Lease(held)
    async with candidate(lease) as (leadership, _), asyncio.timeout(20):
        await leadership.attempted.wait()
        assert not leadership.elected.is_set()
        with pytest.raises(LeadershipLostError):
            leadership.check()
        lease.take("")  # given back
        await leadership.elected.wait()
        leadership.check()


async def test_a_released_lease_is_nobodys() -> None:
    lease = Lease()
    async with candidate(lease) as (leadership, running), asyncio.timeout(20):
        await leadership.elected.wait()
        running.cancel()
        await asyncio.wait([running])
        await leadership.release()
    assert lease.spec
    assert lease.spec["holderIdentity"] is None
    with pytest.raises(LeadershipLostError):
        leadership.check()


@dataclass
class Leases:
    """The Lease of an operator that watches some namespaces, and that of one that watches all."""

    own: Lease = field(default_factory=Lease)
    cluster: Lease = field(default_factory=Lease)
    forbidden: bool = False

    async def handle(self, request: web.Request) -> web.Response:
        if "/namespaces/kube-system/" not in request.path:
            return await self.own.handle(request)
        return refusal(403, reason="Forbidden") if self.forbidden else await self.cluster.handle(request)


@pytest.mark.parametrize("forbidden", [False, True])
async def test_an_operator_of_some_namespaces_leads_where_none_of_all_does(forbidden: bool) -> None:
    leases = Leases(forbidden=forbidden)
    async with candidate(leases, "shop", gives_way=True) as (leadership, _), asyncio.timeout(30):
        await leadership.elected.wait()
        leadership.check()


async def test_it_ends_when_one_of_all_namespaces_is_elected() -> None:
    leases = Leases(cluster=Lease({"holderIdentity": None}))
    async with candidate(leases, "shop", gives_way=True) as (leadership, running), asyncio.timeout(30):
        await leadership.elected.wait()
        leases.cluster.take("theirs")
        with pytest.raises(LeadershipLostError, match="theirs leads in all namespaces"):
            await running
        with pytest.raises(LeadershipLostError):
            leadership.check()


async def test_a_lease_of_all_namespaces_counts_while_it_is_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leadership_module, "LEASE_SECONDS", 0.1)
    lease = Lease({"holderIdentity": "theirs", "renewTime": "1"})
    async with serving(lease.handle) as api, asyncio.timeout(20):
        above = ClusterLease(api)
        assert await above.held() == lease.spec
        await eventually(above.held, until=lambda held: not held)
        lease.spec = {"holderIdentity": "theirs", "renewTime": "2"}
        assert await above.held() == lease.spec
        lease.spec = {"holderIdentity": None, "renewTime": "3"}
        assert await above.held() == {}
