"""Where prometheus-operator's kind is installed, as it defines it, it is told where Pods offer metrics."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from e2e.cluster.control_plane import ControlPlane
from e2e.cluster.definitions import pod_monitor
from e2e.cluster.kubectl import Kubectl
from e2e.cluster.operator_process import OperatorProcess
from e2e.eventually import eventually
from tests.integration.controller.sites import Sites, manifest

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
    kubectl("wait", "--for=condition=Established", f"crd/{name}", "--timeout=30s")
    operator.restart()
    yield
    kubectl("delete", "crd", name)
    operator.restart()


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

    def events() -> list[str]:
        found = kubectl.get("events", "--field-selector=involvedObject.name=shop")["items"]
        return [event["message"] for event in found if event["reason"] == "NoPodMonitor"]

    [told] = eventually(events)
    assert 'a PodMonitor "adapter-shop" exists already' in told
    assert monitors.get() == before
