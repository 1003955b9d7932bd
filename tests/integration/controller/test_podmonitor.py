"""Where prometheus-operator's kind is installed, as it defines it, it is told where Pods offer metrics."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from testbed.cluster.control_plane import ControlPlane
from testbed.cluster.definitions import pod_monitor
from testbed.cluster.kubectl import Kubectl
from testbed.cluster.operator_process import OperatorProcess
from testbed.eventually import eventually
from testbed.manifests import manifest
from tests.integration.controller.sites import Sites

TEMPLATE = {"spec": {"containers": [{"name": "web", "image": "web:1"}], "terminationGracePeriodSeconds": 1}}
ADAPTER = {
    "template": TEMPLATE,
    "contract": {"name": "custom", "metrics": [{"name": "app_hits_total", "type": "counter"}]},
    "sources": [{"name": "s", "type": "statsd", "statsd": {"port": 8125}}],
    "rules": [{"source": "s", "path": "hits", "metric": "app_hits_total"}],
}

WRITTEN = {
    "selector": {"matchLabels": {"podpatterns.dev/kind": "Adapter", "podpatterns.dev/name": "shop"}},
    "podMetricsEndpoints": [
        {
            "port": "metrics",
            "path": "/metrics",
            "relabelings": [
                {
                    "action": "keep",
                    "sourceLabels": ["__meta_kubernetes_pod_container_name"],
                    "regex": "adapter",
                }
            ],
        }
    ],
}
"""What the operator writes; a server drops fields that a definition doesn't have."""


@pytest.fixture
def prometheus_operator(control_plane: ControlPlane, operator: OperatorProcess) -> Iterator[None]:
    """Its kind, and an operator of ours that starts after it."""
    kubectl = Kubectl(control_plane.kubeconfig)
    definition = pod_monitor()
    name = definition["metadata"]["name"]
    kubectl.apply(definition)
    # kubectl's own wait gives up on a definition that has no conditions yet.
    eventually(lambda: kubectl.get("crd", name).get("status", {}), until=_established)
    operator.restart()
    yield
    kubectl("delete", "crd", name)
    operator.restart()


def _established(status: dict[str, Any]) -> bool:
    conditions = status.get("conditions") or ()
    return any((c["type"], c["status"]) == ("Established", "True") for c in conditions)


class Monitors:
    def __init__(self, kubectl: Kubectl) -> None:
        self.kubectl = kubectl

    def apply(self, **spec: Any) -> None:
        self.kubectl.apply(manifest("Adapter", "shop", {**ADAPTER, **spec}))

    def get(self) -> dict[str, Any]:
        items = self.kubectl.get("podmonitors", "--field-selector=metadata.name=adapter-shop")["items"]
        return items[0] if items else {}

    def path(self) -> str:
        found = self.get().get("spec", {}).get("podMetricsEndpoints", [{}])
        return str(found[0].get("path", ""))


@pytest.fixture
def monitors(sites: Sites, prometheus_operator: None) -> Monitors:
    return Monitors(sites.kubectl)


def warnings(kubectl: Kubectl) -> list[str]:
    found = kubectl.get("events", "--field-selector=involvedObject.name=shop")["items"]
    return [event["message"] for event in found if event["reason"] == "PodMonitorNotWritten"]


def test_it_is_made_and_follows_the_object(
    monitors: Monitors, sites: Sites, operator: OperatorProcess
) -> None:
    monitors.apply()
    eventually(monitors.path, until="/metrics".__eq__)
    uid = monitors.kubectl.get("adapter", "shop")["metadata"]["uid"]
    kept = {k: v for k, v in monitors.get()["spec"].items() if k in WRITTEN}
    assert kept == WRITTEN
    [owner] = monitors.get()["metadata"]["ownerReferences"]
    assert (owner["uid"], owner["controller"]) == (uid, True)

    monitors.apply(metrics={"path": "/m"})
    eventually(monitors.path, until="/m".__eq__)

    version = monitors.get()["metadata"]["resourceVersion"]
    operator.restart()
    sites.ready("later")  # by then all objects that were there have been looked at
    assert monitors.get()["metadata"]["resourceVersion"] == version


def test_a_strangers_is_left_alone(monitors: Monitors) -> None:
    stranger = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PodMonitor",
        "metadata": {"name": "adapter-shop"},
        "spec": {"selector": {}, "podMetricsEndpoints": [{"port": "mine"}]},
    }
    monitors.kubectl("create", "--filename=-", stdin=json.dumps(stranger))
    before = monitors.get()
    monitors.apply()
    kubectl = monitors.kubectl
    kubectl("wait", "--for=condition=Ready", "adapter/shop", "--timeout=60s")
    [told] = eventually(lambda: warnings(kubectl))
    assert 'a PodMonitor "adapter-shop" exists already' in told
    assert monitors.get() == before


def test_an_orphan_comes_back_to_an_object_of_its_name(monitors: Monitors) -> None:
    monitors.apply()
    eventually(monitors.path, until="/metrics".__eq__)
    before = monitors.get()["metadata"]
    kubectl = monitors.kubectl
    # An owner of somebody else's stays one.
    other = kubectl.get("configmap", "kube-root-ca.crt")["metadata"]["uid"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "kube-root-ca.crt", "uid": other}
    patch = json.dumps([{"op": "add", "path": "/metadata/ownerReferences/-", "value": reference}])
    kubectl("patch", "podmonitor", "adapter-shop", "--type=json", f"--patch={patch}")
    # The garbage collector takes the reference out where it knows the kind by now, and leaves it otherwise.
    kubectl("delete", "adapter", "shop", "--cascade=orphan")

    monitors.apply(metrics={"path": "/m"})
    eventually(monitors.path, until="/m".__eq__)
    after = monitors.get()["metadata"]
    uid = kubectl.get("adapter", "shop")["metadata"]["uid"]
    assert after["uid"] == before["uid"]
    owners = [(owner["uid"], owner.get("controller")) for owner in after["ownerReferences"]]
    assert owners == [(other, None), (uid, True)]
    assert not warnings(kubectl)


def test_one_made_anew_has_its_own_at_once(monitors: Monitors) -> None:
    """The garbage collector, which deletes the first one's, takes its time for kinds that are new to it."""
    monitors.apply()
    eventually(monitors.path, until="/metrics".__eq__)
    first = monitors.kubectl.get("adapter", "shop")["metadata"]["uid"]
    monitors.kubectl("delete", "adapter", "shop")
    monitors.apply()
    owners = eventually(
        lambda: monitors.get().get("metadata", {}).get("ownerReferences", []),
        until=lambda owners: [owner for owner in owners if owner["uid"] != first],
    )
    assert [owner["uid"] for owner in owners] == [monitors.kubectl.get("adapter", "shop")["metadata"]["uid"]]
    assert not warnings(monitors.kubectl)


def test_a_label_of_the_object_reaches_it(monitors: Monitors) -> None:
    monitors.apply()
    eventually(monitors.path, until="/metrics".__eq__)
    monitors.kubectl("label", "adapter", "shop", "team=web")
    eventually(lambda: monitors.get()["metadata"]["labels"].get("team"), until="web".__eq__)


def test_a_refused_one_is_told_once_and_made_when_it_may_be(monitors: Monitors) -> None:
    kubectl = monitors.kubectl
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "none"},
        "spec": {"hard": {"count/podmonitors.monitoring.coreos.com": "0"}},
    }
    kubectl.apply(quota)
    eventually(lambda: kubectl.get("resourcequota", "none").get("status", {}).get("hard"))
    monitors.apply()
    told = eventually(lambda: warnings(kubectl))
    # Admission learns of a quota's status a moment after everybody else, and says that first.
    assert "quota" in told[0]
    kubectl("delete", "resourcequota", "none")
    eventually(monitors.path, until="/metrics".__eq__)  # no event of the object or its Pods says so
    assert len(set(warnings(kubectl))) == len(warnings(kubectl)), "each once"
