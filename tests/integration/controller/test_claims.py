"""Claims of Stable Pods: found again by successors, kept or deleted by the policy, enlarged, waited for."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.cluster.kubectl import Kubectl
from testbed.eventually import eventually
from tests.integration.controller.sites import Sites

GARBAGE_SECONDS = 90
"""The garbage collector looks for new kinds, such as ours, every 30 s."""


class Storage:
    """A StorageClass of the test's own, and volumes made by hand, which the controller manager binds."""

    def __init__(self, kubectl: Kubectl, *, expandable: bool) -> None:
        self.kubectl = kubectl
        self.name = kubectl.namespace
        kubectl.apply(
            {
                "apiVersion": "storage.k8s.io/v1",
                "kind": "StorageClass",
                "metadata": {"name": self.name},
                "provisioner": "test.example/by-hand",
                "allowVolumeExpansion": expandable,
            }
        )

    def volumes(self, number: int) -> None:
        for i in range(number):
            spec = {
                "storageClassName": self.name,
                "capacity": {"storage": "5Gi"},
                "accessModes": ["ReadWriteOnce"],
                "hostPath": {"path": "/nowhere"},
            }
            meta = {"name": f"{self.name}-{i}"}
            self.kubectl.apply(
                {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": meta, "spec": spec}
            )

    def template(self, size: str = "1Gi") -> dict[str, Any]:
        return {
            "metadata": {"name": "data"},
            "spec": {
                "storageClassName": self.name,
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": size}},
            },
        }

    def spec(self, size: str = "1Gi") -> dict[str, Any]:
        web = {
            "name": "web",
            "image": "web:1",
            "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        }
        pod = {"containers": [web], "terminationGracePeriodSeconds": 1}
        return {"template": {"spec": pod}, "volumeClaimTemplates": [self.template(size)]}

    def claims(self) -> dict[str, dict[str, Any]]:
        items = self.kubectl.get("persistentvolumeclaims")["items"]
        return {item["metadata"]["name"]: item for item in items}

    def uids(self) -> dict[str, str]:
        return {name: claim["metadata"]["uid"] for name, claim in self.claims().items()}


@pytest.fixture
def storage(kubectl: Kubectl) -> Storage:
    return Storage(kubectl, expandable=True)


def test_a_successor_finds_its_claim_which_stays(sites: Sites, kubectl: Kubectl, storage: Storage) -> None:
    storage.volumes(3)
    sites.ready(replicas=2, serviceName="site", **storage.spec())
    claims, before = storage.uids(), sites.uids()
    assert list(claims) == ["data-site-0", "data-site-1"]
    kubectl("delete", "pod", "site-0")
    sites.replaced(before, "site-0")
    [zero, _] = sites.pods()
    assert (zero["spec"]["hostname"], zero["spec"]["subdomain"]) == ("site-0", "site")
    assert {"claimName": "data-site-0"} in [v.get("persistentVolumeClaim") for v in zero["spec"]["volumes"]]
    sites.ready(replicas=1, serviceName="site", **storage.spec())
    assert storage.uids() == claims
    sites.ready(replicas=3, serviceName="site", **storage.spec())
    assert storage.uids().items() >= claims.items()
    claims = storage.uids()
    kubectl("delete", "sidecarapp", "site")
    sites.wait_until_collected()
    assert storage.uids() == claims
    assert not any(claim["metadata"].get("ownerReferences") for claim in storage.claims().values())


def test_claims_go_where_the_policy_says_so(sites: Sites, kubectl: Kubectl, storage: Storage) -> None:
    storage.volumes(2)
    foreign = {**storage.template(), "apiVersion": "v1", "kind": "PersistentVolumeClaim"}
    kubectl.apply({**foreign, "metadata": {"name": "data-site-1"}})
    by_hand = storage.uids()["data-site-1"]
    policy: dict[str, Any] = {
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete", "whenScaled": "Delete"}
    }
    sites.apply(replicas=3, **storage.spec(), **policy)
    eventually(lambda: sorted(storage.uids()), until=["data-site-0", "data-site-1", "data-site-2"].__eq__)
    eventually(lambda: len(sites.pods()), until=(3).__eq__)
    sites.apply(replicas=1, **storage.spec(), **policy)
    eventually(lambda: sorted(storage.uids()), GARBAGE_SECONDS, until=["data-site-0", "data-site-1"].__eq__)
    kubectl("delete", "sidecarapp", "site")
    eventually(storage.uids, GARBAGE_SECONDS, until={"data-site-1": by_hand}.__eq__)


def test_a_pod_that_stays_after_all_keeps_its_claim(sites: Sites, kubectl: Kubectl, storage: Storage) -> None:
    """It was to be scaled down, and its claim with it; then the object was scaled up again."""
    storage.volumes(2)
    policy: dict[str, Any] = {"persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete"}}
    sites.ready(replicas=2, **storage.spec(), **policy)
    sites.hold("site-1")
    sites.apply(replicas=1, **storage.spec(), **policy)

    def owners() -> list[str]:
        meta = storage.claims()["data-site-1"]["metadata"]
        return [owner["kind"] for owner in meta.get("ownerReferences", ())]

    eventually(owners, until=["Pod"].__eq__)
    claims = storage.uids()
    sites.apply(replicas=2, **storage.spec(), **policy)
    eventually(owners, until=[].__eq__)
    sites.let_go("site-1")
    sites.wait_until_ready()
    assert storage.uids() == claims


def test_a_quota_on_claims_costs_the_pods_that_need_more(
    sites: Sites, kubectl: Kubectl, storage: Storage
) -> None:
    storage.volumes(2)
    kubectl("create", "quota", "few", "--hard=persistentvolumeclaims=1")
    eventually(lambda: kubectl.get("quota", "few"), until=lambda q: "hard" in q.get("status", {}))
    sites.apply(replicas=2, **storage.spec())
    told = eventually(lambda: sites.condition("ReplicaFailure"), until=lambda c: c.get("status") == "True")
    assert told["reason"] == "Forbidden"
    assert told["message"].startswith("PersistentVolumeClaim data-site-1: ")
    assert "exceeded quota: few" in told["message"]
    eventually(lambda: sites.get()["status"].get("readyReplicas"), until=(1).__eq__)
    before = sites.uids()
    kubectl("delete", "pod", "site-0")
    sites.replaced(before, "site-0")
    kubectl("delete", "quota", "few")
    sites.wait_until_ready(timeout=90)


def test_a_pod_waits_until_a_former_claim_is_gone(sites: Sites, kubectl: Kubectl, storage: Storage) -> None:
    storage.volumes(3)
    meta = {"name": "data-site-0", "finalizers": ["test.example/hold"]}
    kubectl.apply(
        {**storage.template(), "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta}
    )
    kubectl("delete", "pvc", "data-site-0", "--wait=false")
    former = storage.uids()["data-site-0"]
    sites.apply(replicas=2, **storage.spec())
    told = eventually(lambda: sites.condition("ReplicaFailure"), until=lambda c: c.get("status") == "True")
    assert told["reason"] == "ClaimTerminating"
    assert "PersistentVolumeClaim data-site-0 is being deleted" in told["message"]
    eventually(lambda: list(sites.uids()), until=["site-1"].__eq__)
    kubectl("patch", "pvc", "data-site-0", "--type=merge", '--patch={"metadata":{"finalizers":null}}')
    sites.wait_until_ready()
    assert storage.uids()["data-site-0"] != former


def test_claims_are_enlarged_and_no_pod_notices(sites: Sites, kubectl: Kubectl, storage: Storage) -> None:
    storage.volumes(2)
    sites.ready(replicas=2, **storage.spec())
    before = sites.uids()
    eventually(lambda: sites.condition("VolumeClaimsCurrent"), until=lambda c: c.get("status") == "True")
    sites.apply(replicas=2, **storage.spec("2Gi"))

    def sizes() -> set[str]:
        return {claim["spec"]["resources"]["requests"]["storage"] for claim in storage.claims().values()}

    eventually(sizes, until={"2Gi"}.__eq__)
    sites.apply(replicas=2, **storage.spec("1Gi"))
    told = eventually(
        lambda: sites.condition("VolumeClaimsCurrent"), until=lambda c: c.get("status") == "False"
    )
    assert told["reason"] == "ClaimsDiffer"
    assert "data-site-0 (spec.resources.requests.storage)" in told["message"]
    assert (sizes(), sites.uids()) == ({"2Gi"}, before)


def test_a_refused_enlargement_is_told(sites: Sites, kubectl: Kubectl) -> None:
    storage = Storage(kubectl, expandable=False)
    storage.volumes(1)
    sites.ready(**storage.spec())
    before = sites.uids()
    sites.apply(**storage.spec("2Gi"))
    told = eventually(
        lambda: sites.condition("VolumeClaimsCurrent"), until=lambda c: c.get("status") == "False"
    )
    assert told["reason"] == "ClaimRefused"
    assert told["message"].startswith("PersistentVolumeClaim data-site-0: ")
    warned = eventually(lambda: [text for why, text in sites.events() if why == "FailedWrite"])
    assert any("data-site-0" in text for text in warned)
    kubectl("patch", "storageclass", storage.name, '--patch={"allowVolumeExpansion":true}')
    eventually(lambda: sites.condition("VolumeClaimsCurrent"), 90, until=lambda c: c.get("status") == "True")
    assert sites.uids() == before


def test_one_after_the_other(sites: Sites) -> None:
    """A Pod that never gets ready holds up the others, and not its own correction."""
    slow = {
        "metadata": {"annotations": {"test.example/start-delay": "1h"}},
        "spec": {"containers": [{"name": "web", "image": "web:1"}], "terminationGracePeriodSeconds": 1},
    }
    sites.apply(replicas=3, podManagementPolicy="OrderedReady", template=slow, ordinals={"start": 4})
    eventually(lambda: list(sites.uids()), until=["site-4"].__eq__)
    pods = sites.ready(replicas=3, podManagementPolicy="OrderedReady", ordinals={"start": 4})
    assert [pod["metadata"]["name"] for pod in pods] == ["site-4", "site-5", "site-6"]
    created = [pod["metadata"]["creationTimestamp"] for pod in pods]
    assert created == sorted(created)
