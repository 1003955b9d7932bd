"""The status of a part: the objects that use it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from podpatterns.api import parse
from podpatterns.controller.configurationpoller import Configurations
from podpatterns.controller.contractpoller import Contracts
from podpatterns.controller.key import Key
from podpatterns.controller.objectstore import ObjectStore
from podpatterns.controller.podstore import PodStore
from podpatterns.controller.statuswriter import StatusWriter
from testbed.builders import template
from testbed.manifests import manifest
from tests.unit.controller.memoryapi import MemoryApi

GIT = {"kind": "SidecarApp", "name": "git", "namespace": "platform"}


def put(store: ObjectStore, name: str, namespace: str, status: dict[str, Any], **spec: Any) -> None:
    made = manifest("SidecarApp", name, spec, namespace=namespace, generation=1)
    meta = {**made["metadata"], "uid": f"{namespace}-{name}", "resourceVersion": "1"}
    store.put({**made, "metadata": meta, "status": status})


async def status(store: ObjectStore, shared_with: Sequence[str]) -> dict[str, Any]:
    put(store, "git", "platform", {}, sharedWith={"namespaces": list(shared_with)})
    entry = store.get(Key("SidecarApp", "platform", "git"))
    assert entry is not None

    def nothing(_: object) -> None:
        pass

    pollers = (Configurations(nothing), Contracts(nothing))
    writer = StatusWriter(MemoryApi(lambda: 0.0), (store, PodStore()), pollers, nothing)
    return await writer.of_part(entry, parse(entry.manifest.read()), ())


async def test_who_may_not_include_a_part_is_none_of_its_users() -> None:
    """Or anybody could keep others' parts from being deleted, by objects that never get a Pod."""
    store = ObjectStore()
    put(store, "stranger", "elsewhere", {}, template=template(), include=[GIT])
    put(store, "site", "shop", {}, template=template(), include=[GIT])
    told = await status(store, ["shop"])
    assert told["usedBy"] == [{"kind": "SidecarApp", "name": "site", "namespace": "shop"}]
    assert told["users"] == 1
    assert told["conditions"][0]["message"] == "included by 1 object"


async def test_who_has_a_part_that_was_withdrawn_is_a_user_still() -> None:
    store = ObjectStore()
    held = {"parts": [{**GIT, "generation": 1}]}
    put(store, "site", "shop", held, template=template(), include=[GIT])
    told = await status(store, [])
    assert told["usedBy"] == [{"kind": "SidecarApp", "name": "site", "namespace": "shop"}]
    assert (told["users"], told["updatedUsers"]) == (1, 0)
