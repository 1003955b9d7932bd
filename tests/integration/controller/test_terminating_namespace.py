"""A namespace on its way out takes nothing in: that is no news, and nobody's mistake."""

from __future__ import annotations

from testbed.cluster.control_plane import ControlPlane
from testbed.cluster.kubectl import Kubectl
from testbed.cluster.namespace import own_namespace
from testbed.cluster.operator_process import OperatorProcess
from testbed.eventually import eventually
from tests.integration.controller.hostile import WRITES, Writes, logged, unharmed
from tests.integration.controller.sites import Sites


def test_a_namespace_that_is_deleted_is_no_trouble(
    operator: OperatorProcess, control_plane: ControlPlane
) -> None:
    with own_namespace(control_plane.kubeconfig, "terminating", keep=True) as namespace:
        kubectl = Kubectl(control_plane.kubeconfig, namespace)
        sites = Sites(kubectl)
        sites.ready(replicas=3)
        # It holds the namespace too, and Pods go before what keeps them.
        sites.hold("site-2")
        since, writes = len(operator.messages()), Writes(control_plane, namespace)
        with unharmed(operator):
            kubectl("delete", "namespace", namespace, "--wait=false")
            eventually(sites.uids, until=lambda now: now.keys() == {"site-2"})
            written = writes.pause()
        sites.let_go("site-2")
        eventually(
            lambda: kubectl.get("namespaces", f"--field-selector=metadata.name={namespace}")["items"],
            60,
            until=lambda items: not items,
        )
    assert logged(operator, since, namespace) == []
    assert written < WRITES
