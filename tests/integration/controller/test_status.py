"""The status that is written, and to whom."""

from __future__ import annotations

from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration

from e2e.cluster.control_plane import ControlPlane
from podpatterns.controller.apiserver import ApiServer
from podpatterns.controller.key import Key
from podpatterns.controller.objectstore import ObjectStore
from podpatterns.controller.podstore import PodStore
from podpatterns.controller.reconciler import Reconciler
from podpatterns.controller.recorder import Recorder
from tests.integration.controller.sites import Sites


async def test_a_successor_under_the_same_name_does_not_get_the_status(
    sites: Sites, control_plane: ControlPlane
) -> None:
    """An operator that has not heard yet that the object was deleted and made anew."""
    sites.apply_part("part", image="part:1")
    known = sites.get("part")
    known["metadata"] |= {"uid": "00000000-0000-0000-0000-000000000000", "generation": 7}
    configuration = Configuration()
    await config.load_kube_config(str(control_plane.operator_kubeconfig), client_configuration=configuration)
    async with ApiClient(configuration) as client:
        api, objects = ApiServer(client), ObjectStore()
        objects.put(known)
        key = Key("SidecarApp", sites.kubectl.namespace, "part")
        await Reconciler(api, objects, PodStore(), Recorder(api)).reconcile(key)
    assert sites.get("part").get("status", {}).get("observedGeneration") != 7
    assert objects.get(key) is None, "what it knew of is gone"
