"""The PodMonitor manifest: the Pods' metrics endpoints, for prometheus-operator
(https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.PodMonitor)."""

from __future__ import annotations

from typing import Any

from podpatterns.api import Pattern
from podpatterns.compose.composition import Composition
from podpatterns.compose.labels import HASH, selector
from podpatterns.compose.owner import owner_reference
from podpatterns.compose.podfragment import MetricsEndpoint
from podpatterns.compose.revision import short_hash

GROUP_VERSION = "monitoring.coreos.com/v1"


def pod_monitor_name(kind: str, name: str) -> str:
    """Return the name of the PodMonitor of an object."""
    return f"{kind.lower()}-{name}"


def pod_monitor(app: Pattern, composition: Composition) -> dict[str, Any] | None:
    """Return the PodMonitor to write; None if the Pods have no adapter.

    It has the object's own labels too: a Prometheus may select PodMonitors by them.
    """
    endpoints = [e for e in composition.metrics_endpoints if e.monitored]
    if not endpoints:
        return None
    labels = {**app.metadata.labels, **selector(app.kind, app.metadata.name)}
    spec = {
        "selector": {"matchLabels": selector(app.kind, app.metadata.name)},
        "podMetricsEndpoints": [_endpoint(e) for e in endpoints],
    }
    return {
        "apiVersion": GROUP_VERSION,
        "kind": "PodMonitor",
        "metadata": {
            "name": pod_monitor_name(app.kind, app.metadata.name),
            "namespace": app.metadata.namespace,
            "labels": labels,
            "annotations": {HASH: short_hash([labels, spec])},
            "ownerReferences": [owner_reference(app)],
        },
        "spec": spec,
    }


def _endpoint(endpoint: MetricsEndpoint) -> dict[str, Any]:
    """Return the endpoint of one adapter. Several in a Pod have the same name of the port, and differ by
    container."""
    return {
        "port": "metrics",
        "path": endpoint.path,
        "relabelings": [
            {
                "action": "keep",
                "sourceLabels": ["__meta_kubernetes_pod_container_name"],
                "regex": endpoint.container,
            }
        ],
    }
