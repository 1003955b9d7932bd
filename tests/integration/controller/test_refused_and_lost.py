"""Pods that the cluster refuses, and Pods on a node that is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from testbed.cluster.kubectl import Kubectl
from testbed.eventually import eventually
from tests.integration.controller.sites import Sites


def test_pod_security_is_told_in_the_servers_words_and_recovered_from(
    sites: Sites, kubectl: Kubectl, namespace: str
) -> None:
    level = "pod-security.kubernetes.io/enforce"
    kubectl("label", "namespace", namespace, f"{level}=restricted")
    sites.apply(replicas=2)
    told = eventually(lambda: sites.condition("ReplicaFailure"), until=lambda c: c.get("status") == "True")
    assert told["reason"] == "Forbidden"
    assert 'violates PodSecurity "restricted:latest"' in told["message"]
    assert told["message"] in sites.condition("Ready")["message"]
    assert sites.pods() == []
    warnings = [event for event in eventually(sites.events) if event[0] == "FailedWrite"]
    assert len(warnings) == 1, "told once, however often it is tried"
    kubectl("label", "namespace", namespace, f"{level}-")
    sites.wait_until_ready(timeout=90)
    assert sites.condition("ReplicaFailure")["status"] == "False"


def test_an_update_that_pod_security_refuses_leaves_the_others_as_they_were(
    sites: Sites, kubectl: Kubectl, namespace: str
) -> None:
    """No more Pods are given up for it than maxUnavailable, and the correction needs no hand."""
    sites.ready(replicas=4)
    before = sites.uids()
    kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=baseline")
    web = {"name": "web", "image": "web:2", "securityContext": {"privileged": True}}
    sites.apply(replicas=4, template={"spec": {"containers": [web], "terminationGracePeriodSeconds": 1}})
    told = eventually(lambda: sites.condition("ReplicaFailure"), until=lambda c: c.get("status") == "True")
    assert told["reason"] == "Forbidden"
    assert 'violates PodSecurity "baseline:latest": privileged (container "web"' in told["message"]
    left = sites.uids()
    assert left.items() < before.items()
    assert len(left) == 3
    assert {p["spec"]["containers"][0]["image"] for p in sites.pods()} == {"web:1"}
    assert sites.condition("Available")["status"] == "True"
    sites.ready(replicas=4, image="web:3")


@pytest.fixture
def lost_node(kubectl: Kubectl, namespace: str) -> Iterator[str]:
    """A node that was Ready and has no kubelet: what is scheduled to it never starts and never ends."""
    kubectl.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": namespace}})
    set_ready(kubectl, namespace, "True")
    # Until then the scheduler would prefer other nodes.
    eventually(
        lambda: kubectl.get("node", namespace)["spec"].get("taints", []), until=lambda taints: not taints
    )
    yield namespace
    kubectl("delete", "node", namespace)


def set_ready(kubectl: Kubectl, node: str, status: str) -> None:
    room = {"cpu": "10", "memory": "10Gi", "pods": "10"}
    conditions = [{"type": "Ready", "status": status, "reason": "Test", "message": "as the test wants it"}]
    patch = {"status": {"capacity": room, "allocatable": room, "conditions": conditions}}
    kubectl("patch", "node", node, "--subresource=status", f"--patch={json.dumps(patch)}")


def test_a_pod_on_a_lost_node_is_waited_for_and_collected_by_the_cluster(
    sites: Sites, kubectl: Kubectl, lost_node: str
) -> None:
    template = {
        "spec": {
            "containers": [{"name": "web", "image": "web:1"}],
            "affinity": {
                "nodeAffinity": {
                    "preferredDuringSchedulingIgnoredDuringExecution": [
                        {
                            "weight": 100,
                            "preference": {
                                "matchFields": [
                                    {"key": "metadata.name", "operator": "In", "values": [lost_node]}
                                ]
                            },
                        }
                    ]
                }
            },
        }
    }
    sites.apply(template=template)
    [pod] = eventually(
        sites.pods, until=lambda pods: [p["spec"].get("nodeName") for p in pods] == [lost_node]
    )
    kubectl("delete", "pod", "site-0", "--wait=false")
    waiting = f"waiting for site-0 (on node {lost_node}) to terminate"
    eventually(lambda: sites.condition("Ready"), until=lambda c: waiting in c.get("message", ""))
    assert sites.uids() == {"site-0": pod["metadata"]["uid"]}, "neither forced nor doubled"

    set_ready(kubectl, lost_node, "False")
    kubectl("taint", "node", lost_node, "node.kubernetes.io/out-of-service=nodeshutdown:NoExecute")
    # The cluster looks for such Pods every 20 s.
    eventually(sites.uids, 90, until=lambda now: now.get("site-0") not in (None, pod["metadata"]["uid"]))
    sites.wait_until_ready()
