"""An operator that has nothing to do writes nothing, whatever happens around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from podpatterns.replicas.pod import DELETION_COST
from testbed.cluster.kubectl import Kubectl
from testbed.cluster.operator_process import OperatorProcess
from testbed.eventually import eventually
from testbed.witness import Barrier, Witness
from tests.integration.controller.sites import Sites

MIRROR = "mirror.example/"


@pytest.fixture
def altered_pods(kubectl: Kubectl, namespace: str) -> Iterator[None]:
    """A policy gives every Pod another image, a label and annotations, as webhooks do."""
    image = "object.spec.containers[0].image"
    alterations = [
        f'JSONPatch{{op: "replace", path: "/spec/containers/0/image", value: "{MIRROR}" + {image}}}',
        'JSONPatch{op: "add", path: "/metadata/labels/altered", value: "yes"}',
        'JSONPatch{op: "add", path: "/metadata/annotations", value: {"altered": "too"}}',
    ]
    policy = {
        "matchConstraints": {
            "resourceRules": [
                {
                    "apiGroups": [""],
                    "apiVersions": ["v1"],
                    "operations": ["CREATE"],
                    "resources": ["pods"],
                }
            ],
        },
        "matchConditions": [{"name": "once", "expression": f"!{image}.startsWith('{MIRROR}')"}],
        "failurePolicy": "Fail",
        "reinvocationPolicy": "Never",
        "mutations": [
            {"patchType": "JSONPatch", "jsonPatch": {"expression": f"[{', '.join(alterations)}]"}},
        ],
    }
    selector = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    binding = {"policyName": namespace, "matchResources": {"namespaceSelector": selector}}
    objects: list[dict[str, Any]] = [
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": kind,
            "metadata": {"name": namespace},
            "spec": spec,
        }
        for kind, spec in (
            ("MutatingAdmissionPolicy", policy),
            ("MutatingAdmissionPolicyBinding", binding),
        )
    ]
    kubectl.apply(*objects)
    probe = ("run", "probe", "--image=web", "--labels=a=b", "--dry-run=server", "--output=json")
    eventually(lambda: kubectl(*probe), until=lambda pod: MIRROR in pod)
    yield
    for obj in objects:
        kubectl("delete", obj["kind"], namespace)


@pytest.mark.usefixtures("altered_pods")
def test_where_a_policy_alters_pods(
    sites: Sites, operator: OperatorProcess, witness: Witness, kubectl: Kubectl
) -> None:
    pods = sites.ready(replicas=2)
    assert {pod["spec"]["containers"][0]["image"] for pod in pods} == {f"{MIRROR}web:1"}
    barrier = Barrier(Kubectl(kubectl.kubeconfig))
    with witness.idle():
        look(kubectl, "site-0")
        barrier.wait()
        operator.restart()
        barrier.wait()
    assert sites.pods()[0]["metadata"]["labels"]["altered"] == "yes"
    assert not sites.condition("PodsModified"), "no person has altered them"


def test_an_upgrade(
    sites: Sites, variant: Callable[..., OperatorProcess], witness: Witness, kubectl: Kubectl
) -> None:
    """The next version makes Pods differently: those that are there stay as they are."""
    sites.apply_part("part", image="part:1")
    sites.ready(replicas=2, include=[{"kind": "SidecarApp", "name": "part"}])
    before = facts(sites)
    barrier = Barrier(Kubectl(kubectl.kubeconfig))
    with witness.idle():
        variant("next_version")
        look(kubectl, "site-0")
        barrier.wait()
    assert facts(sites) == before
    kubectl("delete", "pod", "site-1")
    pods = eventually(sites.pods, until=lambda pods: facts(sites).keys() != before.keys() and len(pods) == 2)
    versions = [pod["metadata"].get("annotations", {}).get("test.example/version") for pod in pods]
    assert versions == [None, "next"], "only a Pod that has to be made is made the new way"


def look(kubectl: Kubectl, pod: str) -> None:
    """Gives the operator a reason to look."""
    kubectl("annotate", "pod", pod, f"{DELETION_COST}=1")


def facts(sites: Sites) -> dict[str, Any]:
    """Return what an upgrade must not change, by the Pods' UIDs: generations and restart counts."""
    return {
        pod["metadata"]["uid"]: (
            pod["metadata"]["generation"],
            [c["restartCount"] for c in pod["status"]["containerStatuses"]],
        )
        for pod in sites.pods()
    }
