"""The status that is written, to whom, and what its answer tells."""

from __future__ import annotations

from typing import Any

from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration

from podpatterns.compose import HelperImages
from podpatterns.controller.apiserver import ApiServer
from podpatterns.controller.configmapstore import ConfigMapStore
from podpatterns.controller.configurationpoller import Configurations
from podpatterns.controller.contractpoller import Contracts
from podpatterns.controller.key import Key
from podpatterns.controller.objectstore import ObjectStore
from podpatterns.controller.podmonitors import PodMonitors
from podpatterns.controller.podstore import PodStore
from podpatterns.controller.reconciler import Observability, Reconciler, Stores
from podpatterns.controller.recorder import Recorder
from testbed.cluster.control_plane import ControlPlane
from tests.integration.controller.sites import Sites


async def look(control_plane: ControlPlane, known: dict[str, Any]) -> tuple[ObjectStore, set[Key]]:
    """A look of an operator that knows one object so; what it knows then and what it wants to look at."""
    objects, news = ObjectStore(), set[Key]()
    [key] = objects.put(known)
    configuration = Configuration()
    await config.load_kube_config(str(control_plane.operator_kubeconfig), client_configuration=configuration)
    async with ApiClient(configuration) as client:
        api = ApiServer(client)
        stores = Stores(objects, PodStore(), ConfigMapStore())
        observability = Observability(
            Configurations(news.update), Contracts(news.update), PodMonitors(api, news.update)
        )
        await Reconciler(
            api, stores, observability, Recorder(api), news.update, images=HelperImages()
        ).reconcile(key, write_status=True)
    return objects, news


async def test_a_successor_under_the_same_name_does_not_get_the_status(
    sites: Sites, control_plane: ControlPlane
) -> None:
    """An operator that has not heard yet that the object was deleted and made anew."""
    sites.apply_part("part", image="part:1")
    known = sites.get("part")
    known["metadata"] |= {"uid": "00000000-0000-0000-0000-000000000000", "generation": 7}
    objects, _ = await look(control_plane, known)
    assert sites.get("part").get("status", {}).get("observedGeneration") != 7
    assert len(objects) == 0, "what it knew of is gone"


async def test_a_spec_that_the_answer_brings_is_looked_at(sites: Sites, control_plane: ControlPlane) -> None:
    """An operator that writes a status before it has heard of an edit."""
    sites.apply_part("part", image="part:1")
    known = sites.get("part")
    sites.apply_part("part", image="part:2")
    known["status"] = {}
    objects, news = await look(control_plane, known)
    key = Key("SidecarApp", sites.kubectl.namespace, "part")
    entry = objects.get(key)
    assert entry is not None
    assert entry.generation == 2
    assert news == {key}
