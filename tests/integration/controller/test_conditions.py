"""Conditions of an object that is not as it should be, and what tools that wait for it make of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from testbed.cluster.kstatus import kstatus
from testbed.cluster.kubectl import Kubectl, KubectlError
from testbed.eventually import eventually
from tests.integration.controller.sites import Sites

SURGE: dict[str, Any] = {
    "replicas": 3,
    "podNaming": "Generated",
    "updateStrategy": {"type": "Recreate", "maxSurge": 1, "maxUnavailable": 0},
}


def judged(sites: Sites) -> str:
    [judgement] = kstatus([sites.get()])
    return judgement.status


def test_a_surge_with_a_bad_image_is_not_ready_and_fails_at_its_deadline_once(sites: Sites) -> None:
    sites.ready(**SURGE)
    assert judged(sites) == "Current"

    bad: dict[str, Any] = {
        "sidecars": [{"name": "helper", "image": "helper:missing"}],
        "progressDeadlineSeconds": 2,
    }
    sites.apply(**SURGE, **bad)
    eventually(lambda: sites.condition("Stalled"), until=lambda c: c.get("status") == "True")
    assert judged(sites) == "Failed"
    assert sites.condition("Ready")["reason"] == "RollingOut"
    assert sites.condition("Available")["status"] == "True"
    warnings = eventually(
        lambda: [event for event in sites.events() if event[0] == "ProgressDeadlineExceeded"]
    )
    assert "ImagePullBackOff: container helper" in warnings[0][1]

    sites.apply(**{**SURGE, **bad, "replicas": 4})
    eventually(sites.pods, until=lambda pods: len(pods) >= 5)
    eventually(lambda: sites.condition("Stalled"), until=lambda c: c.get("status") == "True")
    sites.ready(**SURGE)
    assert judged(sites) == "Current"
    assert sites.condition("Stalled") == {}
    told = [event for event in sites.events() if event[0] == "ProgressDeadlineExceeded"]
    assert told == warnings


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        ({"nodeSelector": {"no": "where"}}, "site-0 (Unschedulable): 0/"),
        (
            {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]},
            'persistentvolumeclaim "data" not found',
        ),
        (
            {"schedulingGates": [{"name": "example.com/hold"}]},
            "site-0 (SchedulingGated): gate example.com/hold",
        ),
    ],
    ids=["no node", "no claim", "gated"],
)
def test_what_a_pod_waits_for_is_told(sites: Sites, pod: dict[str, Any], expected: str) -> None:
    sites.apply(template={"spec": {"containers": [{"name": "web", "image": "web:1"}], **pod}})
    eventually(lambda: sites.condition("Ready"), until=lambda c: expected in c.get("message", ""))
    assert judged(sites) == "InProgress"


@pytest.fixture
def no_deletions(kubectl: Kubectl, namespace: str) -> Iterator[None]:
    """A policy that denies deletions of Pods in the namespace."""
    meta = {"name": f"no-deletions-{namespace}"}
    api = "admissionregistration.k8s.io/v1"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["DELETE"], "resources": ["pods"]}
    here = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
    policy = {
        "matchConstraints": {"resourceRules": [rule], **here},
        "validations": [{"expression": "false", "message": "no deletions in here"}],
    }
    binding = {"policyName": meta["name"], "validationActions": ["Deny"]}
    kubectl.apply(
        {"apiVersion": api, "kind": "ValidatingAdmissionPolicy", "metadata": meta, "spec": policy},
        {"apiVersion": api, "kind": "ValidatingAdmissionPolicyBinding", "metadata": meta, "spec": binding},
    )
    yield
    kinds = "validatingadmissionpolicy,validatingadmissionpolicybinding"
    kubectl("delete", kinds, meta["name"])


def deletable(kubectl: Kubectl) -> bool:
    try:
        kubectl("delete", "pod", "site-0", "--dry-run=server")
    except KubectlError:
        return False
    return True


def test_pods_that_a_policy_keeps_from_being_deleted_are_told(
    sites: Sites, kubectl: Kubectl, no_deletions: None
) -> None:
    sites.ready(replicas=3)
    eventually(lambda: not deletable(kubectl))
    kubectl("scale", "sidecarapp/site", "--replicas=1")
    ready = eventually(lambda: sites.condition("Ready"), until=lambda c: c.get("status") == "False")
    assert ready["message"].startswith("3 Pods are available, 1 wanted; ")
    assert "no deletions in here" in ready["message"]
    assert judged(sites) == "InProgress"


def test_a_revision_that_is_not_written_is_not_ready_while_the_last_one_runs(
    sites: Sites, kubectl: Kubectl
) -> None:
    sites.ready(replicas=2)
    before = sites.uids()
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "no-revisions"}}
    kubectl.apply({**quota, "spec": {"hard": {"count/controllerrevisions.apps": "1"}}})
    eventually(lambda: kubectl.get("quota", "no-revisions"), until=lambda q: "used" in q.get("status", {}))
    sites.apply(replicas=2, image="web:2")
    ready = eventually(lambda: sites.condition("Ready"), until=lambda c: c.get("status") == "False")
    assert ready["reason"] == "Forbidden"
    assert sites.condition("Available")["status"] == "True"
    assert judged(sites) == "InProgress"
    assert sites.uids() == before
