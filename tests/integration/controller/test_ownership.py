"""Whose Pods are whose: released, orphaned, adopted."""

from __future__ import annotations

import re

from testbed.cluster.kubectl import Kubectl
from testbed.eventually import eventually
from tests.integration.controller.sites import Sites


def test_a_pod_whose_label_is_removed_is_released_and_replaced(sites: Sites, kubectl: Kubectl) -> None:
    [pod, _] = sites.ready(replicas=2, podNaming="Generated")
    name = pod["metadata"]["name"]
    kubectl("label", "pod", name, "podpatterns.dev/name-")
    eventually(sites.uids, until=lambda now: len(now) == 2 and name not in now)
    eventually(lambda: kubectl.get("pod", name), until=lambda p: "ownerReferences" not in p["metadata"])
    sites.wait_until_ready()
    assert kubectl.get("pod", name)["metadata"]["uid"] == pod["metadata"]["uid"]


def test_a_released_pod_that_holds_a_stable_name_is_told_of(sites: Sites, kubectl: Kubectl) -> None:
    [pod] = sites.ready()
    kubectl("label", "pod", "site-0", "podpatterns.dev/name-")
    told = eventually(lambda: sites.condition("ReplicaFailure"), until=lambda c: c.get("status") == "True")
    assert told["reason"] == "PodNameTaken"
    assert kubectl.get("pod", "site-0")["metadata"]["uid"] == pod["metadata"]["uid"]
    kubectl("delete", "pod", "site-0")
    sites.wait_until_ready()


def test_orphaned_pods_come_back_to_an_object_of_the_same_name(sites: Sites, kubectl: Kubectl) -> None:
    sites.ready(replicas=2)
    before = sites.uids()
    kubectl("delete", "sidecarapp", "site", "--cascade=orphan")
    eventually(sites.pods, until=lambda pods: not any("ownerReferences" in p["metadata"] for p in pods))
    sites.ready(replicas=2)
    assert sites.uids() == before
    owner = sites.get()["metadata"]["uid"]
    assert [p["metadata"]["ownerReferences"][0]["uid"] for p in sites.pods()] == [owner, owner]
    eventually(lambda: adopted(sites), until=lambda names: names == {"site-0", "site-1"})


def adopted(sites: Sites) -> set[str]:
    """The Pods that Events tell of, at once or one by one, as they were orphaned."""
    told = [text for reason, text in sites.events() if reason == "Adopted"]
    return {name for text in told for name in re.findall(r"site-\d", text)}


def test_the_record_of_replacements(sites: Sites, kubectl: Kubectl) -> None:
    """With generated names: kwok deletes Pods by their names alone, now and then twice, which would end a
    successor under the same name before it is ready."""
    recreate = {"type": "Recreate"}
    [pod, _] = sites.ready(replicas=2, podNaming="Generated", updateStrategy=recreate)
    kubectl("delete", "pod", pod["metadata"]["name"])
    status = eventually(sites.get, until=lambda site: site["status"].get("replacements"))["status"]
    [record] = status["recentReplacements"]
    assert (record["reason"], record["oldUID"]) == ("Deleted", pod["metadata"]["uid"])
    assert sites.uids()[record["name"]] == record["newUID"]
    assert record["duration"].endswith("s")
    sites.ready(replicas=2, podNaming="Generated", updateStrategy=recreate, image="web:2")
    status = eventually(sites.get, until=lambda site: site["status"]["replacements"] == 3)["status"]
    assert [r["reason"] for r in status["recentReplacements"]] == ["Outdated", "Outdated", "Deleted"]
