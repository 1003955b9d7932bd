"""What comes of an error of the operator's own."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from aiohttp import web
from prometheus_client import REGISTRY

from podpatterns.compose import HelperImages
from podpatterns.controller import compositions
from podpatterns.controller.backoff import FIRST
from podpatterns.controller.configmapstore import ConfigMapStore
from podpatterns.controller.configurationpoller import Configurations
from podpatterns.controller.contractpoller import Contracts
from podpatterns.controller.key import Key
from podpatterns.controller.objectstore import ObjectStore
from podpatterns.controller.podmonitors import PodMonitors
from podpatterns.controller.podstore import PodStore
from podpatterns.controller.reconciler import Observability, Reconciler, Stores
from podpatterns.controller.recorder import Recorder
from testbed.builders import template
from tests.unit.controller.memoryapi import MemoryApi
from tests.unit.controller.server import listing, serving
from tests.unit.controller.test_compositions import app, raw


def errors() -> float:
    return REGISTRY.get_sample_value("podpatterns_reconcile_errors_total", {"kind": "SidecarApp"}) or 0


async def test_it_is_counted_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def surprise(*_: object) -> None:
        raise ZeroDivisionError("by design")

    async def handle(request: web.Request) -> web.Response:
        if request.method == "GET":
            return listing([])
        [_, written] = await request.json()
        return web.json_response({**raw("site", 2, template=app()), "status": written["value"]})

    monkeypatch.setattr(compositions, "compose", surprise)
    objects, before = ObjectStore(), errors()
    [key] = objects.put(raw("site", template=app()))
    async with serving(handle) as api:

        def nothing(_: Any) -> None:
            pass

        again = await Reconciler(
            api,
            Stores(objects, PodStore(), ConfigMapStore()),
            Observability(Configurations(nothing), Contracts(nothing), PodMonitors(api, nothing)),
            Recorder(api),
            nothing,
            images=HelperImages(),
        ).reconcile(key, write_status=False)
    assert again.after == FIRST
    assert errors() == before + 1
    entry = objects.get(Key("SidecarApp", "default", "site"))
    assert entry is not None
    assert {c["type"]: c["reason"] for c in entry.status["conditions"]}["Ready"] == "InternalError"


class EarlierCRD(MemoryApi):
    """An API server whose CRD has no status.work."""

    async def json_patch(self, path: str, operations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        stored = await super().json_patch(path, operations)
        stored["status"].pop("work", None)
        return self.put(path.removesuffix("/status"), stored)


async def test_a_record_that_the_server_drops_is_no_hot_loop() -> None:
    api, objects = EarlierCRD(time.time), ObjectStore()
    work = raw("site", template=template(restartPolicy="Never"), replicas=0)
    work["metadata"]["uid"] = "00000001-0000"
    [key] = objects.put(api.put(Key("SidecarApp", "default", "site").path, work))

    def nothing(_: Any) -> None:
        pass

    reconciler = Reconciler(
        api,
        Stores(objects, PodStore(), ConfigMapStore()),
        Observability(Configurations(nothing), Contracts(nothing), PodMonitors(api, nothing)),
        Recorder(api),
        nothing,
        images=HelperImages(),
    )
    again = await reconciler.reconcile(key, write_status=True)
    entry = objects.get(key)
    assert entry is not None
    assert "conditions" in entry.status, "it was written"
    assert again.after is None
