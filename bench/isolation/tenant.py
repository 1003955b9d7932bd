"""The hostile tenant: everything at once that one namespace can do to an operator.

Each attack is an asynchronous context manager that goes on inside it. What it leaves behind for the next
round are its Pods at most.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import web

from testbed import hostile
from testbed.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from bench.api import Api

    Attack = Callable[["Tenant"], Any]

GROUP = "/apis/podpatterns.dev/v1alpha1"
MANY = 100_000
LARGE_BYTES = 900_000
LARGE, USERS, UPDATED, ADAPTERS = 20, 20, 20, 24
FLAP_SECONDS = 1.0
SLOW_SECONDS = 2.0
"""An answer that an adapter takes, each time another one."""


class Tenant:
    """Has `namespace` and another one in which no history can be kept."""

    def __init__(self, api: Api, namespace: str) -> None:
        self.api = api
        self.namespace = namespace
        self.without_history = f"{namespace}-quota"

    async def settle_in(self) -> None:
        for namespace in (self.namespace, self.without_history):
            await make_namespace(self.api, namespace)
        path = f"/api/v1/namespaces/{self.without_history}/resourcequotas"
        await self.api.create(path, [hostile.quota()])

    def path(self, plural: str = "sidecarapps", namespace: str = "") -> str:
        return f"{GROUP}/namespaces/{namespace or self.namespace}/{plural}"

    @property
    def pods(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/pods"

    @asynccontextmanager
    async def objects(self, *manifests: dict[str, Any], namespace: str = "") -> AsyncIterator[None]:
        """Inside, the objects are there."""
        by_path: dict[str, list[dict[str, Any]]] = {}
        for item in manifests:
            by_path.setdefault(self.path(f"{item['kind'].lower()}s", namespace), []).append(item)
        for path, items in by_path.items():
            await self.api.create(path, items)
        yield
        for path, items in by_path.items():
            for item in items:
                await self.api.delete(f"{path}/{item['metadata']['name']}")


async def make_namespace(api: Api, name: str) -> None:
    """Returns when Pods can run there."""
    await api.create("/api/v1/namespaces", [{"metadata": {"name": name}}])
    await eventually(lambda: api.versions(f"/api/v1/namespaces/{name}/serviceaccounts"))


@asynccontextmanager
async def again_and_again(seconds: float, do: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Inside, it is done after every so many seconds; what it raises is raised at the end."""

    async def repeat() -> None:
        while True:
            await do()
            await asyncio.sleep(seconds)

    task = asyncio.create_task(repeat())
    try:
        yield
    finally:
        task.cancel()
        [ended] = await asyncio.gather(task, return_exceptions=True)
    if isinstance(ended, Exception):
        raise ended


def manifest(name: str, kind: str = "SidecarApp", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": f"{hostile.GROUP}/v1alpha1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
    }


def template(annotations: dict[str, str] | None = None, **container: Any) -> dict[str, Any]:
    return {
        "metadata": {"annotations": annotations or {}},
        "spec": {
            "containers": [{"name": "web", "image": "web:1", **container}],
            "terminationGracePeriodSeconds": 1,
        },
    }


@asynccontextmanager
async def many(tenant: Tenant) -> AsyncIterator[None]:
    """Pods by the hundred thousand, which are never scheduled. Those that it got stay when it ends."""
    gated = template()
    gated["spec"]["schedulingGates"] = [{"name": "x.example/y"}]
    site = f"{tenant.path()}/many"
    if not await tenant.api.exists(site):
        await tenant.api.create(tenant.path(), [manifest("many", replicas=0, template=gated)])
    await tenant.api.patch(site, {"spec": {"replicas": MANY}})
    yield
    there = len([name for name in await tenant.api.versions(tenant.pods) if name.startswith("many-")])
    await tenant.api.patch(site, {"spec": {"replicas": there}})


@asynccontextmanager
async def large(tenant: Tenant) -> AsyncIterator[None]:
    """Objects whose history is too large to be kept."""
    heavy = template(env=hostile.ballast(LARGE_BYTES))
    async with tenant.objects(*(manifest(f"large-{n}", template=heavy) for n in range(LARGE))):
        yield


@asynccontextmanager
async def regexes(tenant: Tenant) -> AsyncIterator[None]:
    """Regular expressions that take long to compile."""
    parts = hostile.costly_parts()
    include = [{"kind": "Adapter", "name": part["metadata"]["name"]} for part in parts]
    async with tenant.objects(*parts, manifest("costly", template=template(), include=include)):
        yield


@asynccontextmanager
async def parts(tenant: Tenant) -> AsyncIterator[None]:
    """A part that changes all the time, and those that include it."""
    images = iter(range(1_000_000))

    def part() -> dict[str, Any]:
        return manifest("part", sidecars=[{"name": "part", "image": f"part:{next(images) % 2}"}])

    async def flap() -> None:
        await tenant.api.patch(f"{tenant.path()}/part", {"spec": part()["spec"]})

    include = [{"kind": "SidecarApp", "name": "part"}]
    users = [manifest(f"user-{n}", replicas=2, template=template(), include=include) for n in range(USERS)]
    async with tenant.objects(part(), *users), again_and_again(FLAP_SECONDS, flap):
        yield


@asynccontextmanager
async def updates(tenant: Tenant) -> AsyncIterator[None]:
    """Updates in place of which the nodes take no notice for a long time."""
    slow = {"test.example/start-delay": "120s"}
    names = [f"updated-{n}" for n in range(UPDATED)]
    strategy = {"inPlace": {"containers": "All"}}
    sites = [manifest(name, template=template(), updateStrategy=strategy) for name in names]
    async with tenant.objects(*sites):
        for name in names:
            await eventually(lambda: _available(tenant, name), 120)  # noqa: B023 (awaited at once)
            await tenant.api.patch(
                f"{tenant.path()}/{name}", {"spec": {"template": template(slow, image="web:2")}}
            )
        yield


async def _available(tenant: Tenant, name: str) -> int:
    """How many Pods of the object are available."""
    site = await tenant.api.get(f"{tenant.path()}/{name}")
    found: int = site.get("status", {}).get("availableReplicas", 0)
    return found


@asynccontextmanager
async def quota(tenant: Tenant) -> AsyncIterator[None]:
    """Objects whose history may not be kept."""
    sites = [manifest(f"unkept-{n}", replicas=2, template=template()) for n in range(5)]
    async with tenant.objects(*sites, namespace=tenant.without_history):
        yield


@asynccontextmanager
async def adapters(tenant: Tenant) -> AsyncIterator[None]:
    """Adapters that answer slowly and differently each time: this process, at addresses of loopback."""

    async def answer(_: web.Request) -> web.Response:
        await asyncio.sleep(random.uniform(0, SLOW_SECONDS))
        report = {"config": f"{random.getrandbits(40):010x}", "satisfied": True, "missing": []}
        return web.Response(text=json.dumps(report), content_type="application/json")

    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "0.0.0.0", 0).start()  # noqa: S104 (all of loopback)
    port: int = runner.addresses[0][1]

    async def move() -> None:
        """Gives their Pods addresses at which somebody answers."""
        for pod in await tenant.api.items(f"{tenant.pods}?labelSelector=podpatterns.dev/kind=Adapter"):
            ip = str(pod.get("status", {}).get("podIP", ""))
            if ip and not ip.startswith("127."):
                here = f"127.0.0.{random.randint(2, 250)}"
                patch = {"status": {"podIP": here, "podIPs": [{"ip": here}]}}
                await tenant.api.patch(f"{tenant.pods}/{pod['metadata']['name']}/status", patch)

    spec = {
        "template": template(),
        "contract": {"name": "custom", "metrics": [{"name": "hits_total", "type": "counter"}]},
        "metrics": {"port": port},
        "sources": [{"name": "s", "type": "statsd", "statsd": {"port": 8125}}],
        "rules": [{"source": "s", "path": "hits", "metric": "hits_total"}],
    }
    try:
        async with (
            tenant.objects(*(manifest(f"adapter-{n}", "Adapter", **spec) for n in range(ADAPTERS))),
            again_and_again(0.5, move),
        ):
            yield
    finally:
        await runner.cleanup()


@asynccontextmanager
async def records(tenant: Tenant) -> AsyncIterator[None]:
    """Pods of which no record can be made, or one without a time."""
    now = f"{time.time_ns():x}"  # Pods of the round before may still be on their way out
    stranger, site = f"stranger-{now}", f"timeless-{now}"
    pod = f"{tenant.pods}/{site}-0"
    await tenant.api.create(tenant.pods, [hostile.stranger(stranger)])
    async with tenant.objects(manifest(site, template=template())):
        await eventually(lambda: _available(tenant, site), 120)
        await tenant.api.patch(f"{pod}/status", hostile.timeless(await tenant.api.get(pod)))
        yield
    await tenant.api.delete(f"{tenant.pods}/{stranger}")


ATTACKS: dict[str, Attack] = {
    attack.__name__: attack for attack in (records, updates, adapters, parts, quota, large, regexes, many)
}
"""The attacks; first come those that wait for the operator until they can begin."""
