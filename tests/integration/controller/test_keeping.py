"""Pods come, stay and come back."""

from __future__ import annotations

from testbed.cluster.kubectl import Kubectl
from testbed.eventually import eventually
from tests.integration.controller.sites import Sites


def test_pods_are_made_as_written(sites: Sites) -> None:
    pods = sites.ready(replicas=2, sharedVolumes=[{"name": "content", "mountPath": "/content"}])
    assert [p["metadata"]["name"] for p in pods] == ["site-0", "site-1"]
    owner = sites.get()["metadata"]["uid"]
    for pod in pods:
        [reference] = pod["metadata"]["ownerReferences"]
        assert (reference["kind"], reference["name"], reference["uid"]) == ("SidecarApp", "site", owner)
        assert reference["controller"] is True
        [helper] = pod["spec"]["initContainers"]
        assert (helper["name"], helper["restartPolicy"]) == ("helper", "Always")
        for container in (helper, pod["spec"]["containers"][0]):
            assert {"name": "content", "mountPath": "/content"} in container["volumeMounts"]
    assert "finalizers" not in sites.get()["metadata"]
    assert "annotations" not in sites.get()["metadata"]


def test_a_deleted_pod_comes_back_under_its_name_with_a_new_uid(sites: Sites, kubectl: Kubectl) -> None:
    sites.ready(replicas=2)
    before = sites.uids()
    kubectl("delete", "pod", "site-0")
    eventually(
        sites.uids, until=lambda now: now.keys() == before.keys() and now["site-0"] != before["site-0"]
    )
    sites.wait_until_ready()
    assert sites.uids()["site-1"] == before["site-1"]
    [reference] = sites.pods()[0]["metadata"]["ownerReferences"]
    assert reference["uid"] == sites.get()["metadata"]["uid"]


def test_a_pod_with_a_generated_name_is_replaced_at_once(sites: Sites, kubectl: Kubectl) -> None:
    [pod] = sites.ready(podNaming="Generated")
    name = pod["metadata"]["name"]
    sites.hold(name)
    kubectl("delete", "pod", name, "--wait=false")
    names = eventually(sites.uids, until=lambda now: len(now) == 2)
    assert name in names, "the old one is still there while the new one starts"
    sites.let_go(name)
    eventually(sites.uids, until=lambda now: len(now) == 1 and name not in now)


def test_replacement_policy_failed_waits_until_the_pod_is_gone(sites: Sites, kubectl: Kubectl) -> None:
    [pod] = sites.ready(podNaming="Generated", podReplacementPolicy="Failed")
    name = pod["metadata"]["name"]
    sites.hold(name)
    kubectl("delete", "pod", name, "--wait=false")
    eventually(sites.get, until=lambda site: site["status"]["terminatingReplicas"] == 1)
    assert list(sites.uids()) == [name]
    sites.let_go(name)
    eventually(sites.uids, until=lambda now: len(now) == 1 and name not in now)


def test_a_pod_held_by_a_finalizer_keeps_its_name_until_it_is_gone(sites: Sites, kubectl: Kubectl) -> None:
    sites.ready()
    before = sites.uids()
    sites.hold("site-0")
    kubectl("delete", "pod", "site-0", "--wait=false")
    message = eventually(lambda: sites.condition("Ready"), until=lambda c: c.get("status") == "False")[
        "message"
    ]
    assert message == (
        "0 of 1 Pods are available; waiting for site-0 (finalizer test.example/hold) to terminate"
    )
    assert sites.uids() == before
    sites.let_go("site-0")
    sites.replaced(before, "site-0")


def test_a_failed_pod_is_replaced(sites: Sites, kubectl: Kubectl) -> None:
    sites.ready()
    before = sites.uids()
    evicted = '--patch={"status":{"phase":"Failed","reason":"Evicted"}}'
    kubectl("patch", "pod", "site-0", "--subresource=status", "--type=merge", evicted)
    sites.replaced(before, "site-0")
    sites.wait_until_ready()


def test_a_foreign_pod_on_a_wanted_name_is_left_alone(sites: Sites, kubectl: Kubectl) -> None:
    kubectl("run", "site-1", "--image=foreign")
    foreign = kubectl.get("pod", "site-1")["metadata"]["uid"]
    sites.apply(replicas=2)
    told = eventually(lambda: sites.condition("ReplicaFailure"), until=lambda c: c.get("status") == "True")
    assert told["reason"] == "PodNameTaken"
    assert '"site-1" exists already and has no owner' in told["message"]
    assert list(sites.uids()) == ["site-0"]
    assert kubectl.get("pod", "site-1")["metadata"]["uid"] == foreign
    assert ("FailedWrite", f"PodNameTaken: {told['message']}") in eventually(sites.events)
    kubectl("delete", "pod", "site-1")
    sites.wait_until_ready()
    assert list(sites.uids()) == ["site-0", "site-1"]


def test_a_quota_is_told_in_the_servers_words_and_recovered_from(sites: Sites, kubectl: Kubectl) -> None:
    kubectl("create", "quota", "few", "--hard=pods=1")
    eventually(lambda: kubectl.get("quota", "few"), until=lambda q: "hard" in q.get("status", {}))
    sites.apply(replicas=3)
    told = eventually(lambda: sites.condition("ReplicaFailure"), until=lambda c: c.get("status") == "True")
    assert told["reason"] == "Forbidden"
    assert "exceeded quota: few" in told["message"]
    eventually(sites.get, until=lambda site: site["status"]["readyReplicas"] == 1)
    kubectl("delete", "quota", "few")
    sites.wait_until_ready(timeout=90)


def test_deleting_the_object_deletes_its_pods(sites: Sites, kubectl: Kubectl) -> None:
    sites.ready(replicas=2)
    kubectl("delete", "sidecarapp", "site")
    sites.wait_until_collected()


def test_deleted_and_made_anew_under_one_name(sites: Sites, kubectl: Kubectl) -> None:
    sites.ready(replicas=3)
    before = set(sites.uids().values())
    kubectl("delete", "sidecarapp", "site", "--wait=false")
    sites.apply(replicas=2)
    sites.wait_until_ready()
    eventually(sites.uids, until=lambda now: len(now) == 2 and not before & set(now.values()))
    owner = sites.get()["metadata"]["uid"]
    assert {p["metadata"]["ownerReferences"][0]["uid"] for p in sites.pods()} == {owner}


def test_events_tell_what_was_done(sites: Sites) -> None:
    sites.ready(replicas=2)
    sites.ready(replicas=1)
    expected = {
        ("SuccessfulCreate", "Created 2 Pods: site-0, site-1"),
        ("SuccessfulDelete", "Deleted 1 Pod: site-1 (ScaledDown)"),
    }
    eventually(sites.events, until=lambda events: expected <= events)
