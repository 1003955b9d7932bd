"""Up, down, through /scale, and with the operator killed on the way."""

from __future__ import annotations

from testbed.cluster.kubectl import Kubectl
from testbed.cluster.operator_process import OperatorProcess
from testbed.eventually import eventually
from tests.integration.controller.sites import Sites


def test_the_highest_indexes_go_first(sites: Sites) -> None:
    sites.ready(replicas=4)
    before = sites.uids()
    sites.ready(replicas=2)
    assert sites.uids() == {name: before[name] for name in ("site-0", "site-1")}


def test_the_cheapest_generated_pod_goes_first(sites: Sites, kubectl: Kubectl) -> None:
    names = [pod["metadata"]["name"] for pod in sites.ready(replicas=3, podNaming="Generated")]
    cheap = names[1]
    kubectl("annotate", "pod", cheap, "controller.kubernetes.io/pod-deletion-cost=-10")
    sites.ready(replicas=2, podNaming="Generated")
    assert set(sites.uids()) == set(names) - {cheap}


def test_the_scale_subresource(sites: Sites, kubectl: Kubectl) -> None:
    sites.ready()
    kubectl("scale", "sidecarapp/site", "--replicas=3")
    sites.wait_until_ready()
    assert len(sites.pods()) == 3
    path = f"/apis/podpatterns.dev/v1alpha1/namespaces/{kubectl.namespace}/sidecarapps/site/scale"
    scale = kubectl("get", "--raw", path)
    assert '"replicas":3' in scale
    assert "podpatterns.dev/name=site" in scale


def test_to_zero_and_back(sites: Sites) -> None:
    sites.ready(replicas=2)
    sites.ready(replicas=0)
    assert sites.pods() == []
    sites.ready(replicas=2)
    assert list(sites.uids()) == ["site-0", "site-1"]


def test_killed_while_scaling_from_1_to_50(sites: Sites, operator: OperatorProcess) -> None:
    """kill -9 at several points of the way: no Pod is doubled and none is missing."""
    for naming in ("Stable", "Generated"):
        name = f"site-{naming.lower()}"
        sites.ready(name, podNaming=naming)
        sites.apply(name, replicas=50, podNaming=naming)
        for seen in (2, 10, 30):
            eventually(lambda: len(sites.pods(name)), until=lambda n: n >= seen)  # noqa: B023 (called at once)
            operator.kill()
            assert len(sites.pods(name)) <= 50
            operator.start()
        sites.wait_until_ready(name)
        assert len(sites.uids(name)) == 50
