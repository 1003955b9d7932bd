"""Users of the scale subresource: the autoscaler and disruption budgets."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.cluster.kubectl import Kubectl, KubectlError
from testbed.cluster.metricsapi import metrics_api
from testbed.cluster.operator_process import OperatorProcess
from testbed.eventually import eventually
from testbed.manifests import API_VERSION, manifest
from tests.integration.controller.sites import Sites


def test_a_horizontal_pod_autoscaler_sets_replicas(sites: Sites, kubectl: Kubectl) -> None:
    """Without metrics it still enforces its minimum."""
    sites.ready(replicas=1)
    kubectl.apply(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "site"},
            "spec": {
                "scaleTargetRef": {"apiVersion": API_VERSION, "kind": "SidecarApp", "name": "site"},
                "minReplicas": 3,
                "maxReplicas": 5,
            },
        }
    )
    eventually(sites.get, 60, until=lambda site: site["spec"]["replicas"] == 3)
    sites.wait_until_ready()
    assert len(sites.pods()) == 3


def test_a_horizontal_pod_autoscaler_by_cpu_needs_nothing_of_helpers(
    kubectl: Kubectl, operator: OperatorProcess
) -> None:
    """It gives up on a Pod with one container that requests no CPU."""
    kubectl.apply(shop(requests={"cpu": "100m"}))
    kubectl("wait", "--for=condition=Ready", "ambassador/shop", "--timeout=60s")
    with metrics_api(kubectl, cpu="100m"):
        kubectl("autoscale", "ambassador", "shop", "--max=3", "--cpu=50%")
        eventually(
            lambda: kubectl.get("ambassador", "shop"), 60, until=lambda app: app["spec"]["replicas"] == 3
        )


@pytest.mark.parametrize(("proxy", "expected"), [(False, "Burstable"), (True, "Guaranteed")])
def test_a_guaranteed_application_stays_so_with_limits_of_its_helpers(
    kubectl: Kubectl, operator: OperatorProcess, proxy: bool, expected: str
) -> None:
    """The class is the API server's own judgement."""
    limited = {"limits": {"cpu": "100m", "memory": "64Mi"}}
    kubectl.apply(shop(proxy={"resources": limited} if proxy else {}, **limited))
    pod = eventually(
        lambda: kubectl.get("pods")["items"],
        until=lambda pods: [p["metadata"]["name"] for p in pods] == ["shop-0"],
    )[0]
    assert pod["status"]["qosClass"] == expected


def shop(proxy: dict[str, Any] | None = None, **resources: Any) -> dict[str, Any]:
    """An Ambassador with both proxies, whose application has these resources."""
    web = {"name": "web", "image": "web:1", "resources": resources}
    redis = {"endpoints": ["redis:6379"]}
    upstreams = [
        {"name": "cache", "protocol": "redis", "listen": {"port": 6379}, "redis": redis},
        {"name": "api", "protocol": "http", "listen": {"port": 8081}, "endpoints": ["api:80"]},
    ]
    template = {"spec": {"containers": [web], "terminationGracePeriodSeconds": 1}}
    return manifest(
        "Ambassador", "shop", {"template": template, "upstreams": upstreams, "proxy": proxy or {}}
    )


def test_a_percentage_disruption_budget_holds(sites: Sites, kubectl: Kubectl) -> None:
    sites.ready(replicas=4)
    before = sites.uids()
    kubectl(
        "create",
        "poddisruptionbudget",
        "site",
        "--selector=podpatterns.dev/name=site",
        "--max-unavailable=25%",
    )
    budget = eventually(
        lambda: kubectl.get("poddisruptionbudget", "site").get("status", {}),
        until=lambda status: status.get("disruptionsAllowed") == 1,
    )
    assert (budget["expectedPods"], budget["desiredHealthy"]) == (4, 3)
    sites.hold("site-0")
    evict(kubectl, "site-0")
    with pytest.raises(KubectlError, match="disruption budget"):
        evict(kubectl, "site-1")
    sites.let_go("site-0")
    sites.replaced(before, "site-0")


def evict(kubectl: Kubectl, pod: str) -> None:
    eviction = f'{{"apiVersion":"policy/v1","kind":"Eviction","metadata":{{"name":"{pod}"}}}}'
    path = f"/api/v1/namespaces/{kubectl.namespace}/pods/{pod}/eviction"
    kubectl("create", "--raw", path, "--filename=-", stdin=eviction)
