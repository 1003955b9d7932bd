"""Users of the scale subresource: the autoscaler and disruption budgets."""

from __future__ import annotations

import pytest

from testbed.cluster.kubectl import Kubectl, KubectlError
from testbed.eventually import eventually
from testbed.manifests import API_VERSION
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
