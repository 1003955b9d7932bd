"""A PodMonitor without an owner comes back to the object of its name, and follows that object's labels."""

from __future__ import annotations

from typing import Any

import pytest

from e2e.cluster.kubectl import Kubectl
from e2e.cluster.operator_process import OperatorProcess
from e2e.eventually import eventually
from tests.integration.controller.sites import Sites, manifest

SPEC = {
    "template": {
        "spec": {"containers": [{"name": "web", "image": "web:1"}], "terminationGracePeriodSeconds": 1}
    },
    "contract": {"name": "custom", "metrics": [{"name": "app_hits_total", "type": "counter"}]},
    "sources": [{"name": "s", "type": "statsd", "statsd": {"port": 8125}}],
    "rules": [{"source": "s", "path": "hits", "metric": "app_hits_total"}],
}


def monitor(kubectl: Kubectl) -> dict[str, Any]:
    """Its metadata, empty when there is none."""
    items = kubectl.get("podmonitors", "--field-selector=metadata.name=adapter-shop")["items"]
    return items[0]["metadata"] if items else {}


@pytest.mark.usefixtures("prometheus_operator")
def test_an_orphan_is_adopted(sites: Sites, kubectl: Kubectl, operator: OperatorProcess) -> None:
    kubectl.apply(manifest("Adapter", "shop", SPEC))
    before = eventually(lambda: monitor(kubectl))
    operator.stop()
    # As `--cascade=orphan` leaves it, once the garbage collector has noticed the kind.
    kubectl(
        "patch", "podmonitor", "adapter-shop", "--type=merge", '--patch={"metadata":{"ownerReferences":null}}'
    )
    kubectl("delete", "adapter", "shop", "--cascade=orphan")
    kubectl.apply(manifest("Adapter", "shop", SPEC))
    operator.start()
    uid = kubectl.get("adapter", "shop")["metadata"]["uid"]
    owners = eventually(lambda: monitor(kubectl).get("ownerReferences", []))
    assert [(o["uid"], o["controller"]) for o in owners] == [(uid, True)]
    assert monitor(kubectl)["uid"] == before["uid"]


@pytest.mark.usefixtures("prometheus_operator")
def test_a_new_label_of_the_object_reaches_it(sites: Sites, kubectl: Kubectl) -> None:
    """No generation of the object tells of it."""
    kubectl.apply(manifest("Adapter", "shop", SPEC))
    eventually(lambda: monitor(kubectl))
    kubectl("wait", "--for=condition=Ready", "adapter/shop", "--timeout=60s")
    kubectl("label", "adapter", "shop", "release=prometheus")
    eventually(lambda: monitor(kubectl), until=lambda meta: meta["labels"].get("release") == "prometheus")
    kubectl("label", "adapter", "shop", "release-")
    eventually(lambda: monitor(kubectl), until=lambda meta: "release" not in meta["labels"])
