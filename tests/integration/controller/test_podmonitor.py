"""Where prometheus-operator's kind is installed, it is told where Pods offer metrics."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from e2e.cluster.control_plane import ControlPlane
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


def object_of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT}
RELABELING = object_of(action={**TEXT, "default": "replace"}, sourceLabels=TEXTS, regex=TEXT)
ENDPOINT = object_of(port=TEXT, path=TEXT, relabelings={"type": "array", "items": RELABELING})
SPEC = object_of(
    selector=object_of(matchLabels={"type": "object", "additionalProperties": TEXT}),
    podMetricsEndpoints={"type": "array", "items": ENDPOINT},
)
"""Of prometheus-operator's PodMonitor, the fields that the operator writes:
https://prometheus-operator.dev/docs/api-reference/api/"""


@pytest.fixture
def prometheus_operator(control_plane: ControlPlane, operator: OperatorProcess) -> Iterator[None]:
    """Its kind, and an operator of ours that starts after it."""
    kubectl = Kubectl(control_plane.kubeconfig)
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "podmonitors.monitoring.coreos.com"},
        "spec": {
            "group": "monitoring.coreos.com",
            "scope": "Namespaced",
            "names": {
                "kind": "PodMonitor",
                "listKind": "PodMonitorList",
                "plural": "podmonitors",
                "singular": "podmonitor",
            },
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": object_of(spec=SPEC)},
                }
            ],
        },
    }
    kubectl.apply(definition)
    kubectl("wait", "--for=condition=Established", f"crd/{definition['metadata']['name']}", "--timeout=30s")  # type: ignore[index]
    operator.restart()
    yield
    kubectl("delete", "crd", "podmonitors.monitoring.coreos.com")
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
        "spec": {"podMetricsEndpoints": [{"port": "mine"}]},
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
