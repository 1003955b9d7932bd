"""A change reaches all Pods, within maxUnavailable; a part's change reaches all that include it."""

from __future__ import annotations

from typing import Any

from testbed.cluster.kubectl import Kubectl
from testbed.eventually import eventually
from tests.integration.controller.sites import Sites


def images(pods: list[dict[str, Any]]) -> set[str]:
    return {pod["spec"]["containers"][0]["image"] for pod in pods}


def test_a_template_change_is_rolled_out(sites: Sites) -> None:
    sites.ready(replicas=3)
    revision = sites.get()["status"]["currentRevision"]
    pods = sites.ready(replicas=3, image="web:2")
    assert images(pods) == {"web:2"}
    status = sites.get()["status"]
    assert status["currentRevision"] == status["updateRevision"] != revision
    assert status["updatedReplicas"] == 3


def test_a_change_of_replicas_or_strategy_restarts_nothing(sites: Sites) -> None:
    sites.ready(replicas=2)
    before = sites.uids()
    sites.ready(replicas=2, minReadySeconds=1, updateStrategy={"maxUnavailable": 2})
    assert sites.uids() == before


def test_a_bad_image_stops_at_max_unavailable_and_is_corrected(sites: Sites, kubectl: Kubectl) -> None:
    sites.ready(replicas=3)
    before = sites.uids()
    unschedulable = {
        "spec": {
            "containers": [{"name": "web", "image": "web:bad"}],
            "nodeSelector": {"no-such": "node"},
            "terminationGracePeriodSeconds": 1,
        }
    }
    sites.apply(replicas=3, template=unschedulable)
    eventually(sites.pods, until=lambda pods: "web:bad" in images(pods))
    eventually(sites.get, until=lambda site: site["status"]["updatedReplicas"] == 1)
    assert {n: u for n, u in sites.uids().items() if n != "site-2"} == {
        n: before[n] for n in ("site-0", "site-1")
    }
    pods = sites.ready(replicas=3, image="web:3")
    assert images(pods) == {"web:3"}


def test_generated_names_surge(sites: Sites) -> None:
    strategy = {"type": "Recreate", "maxUnavailable": 0, "maxSurge": 1}
    first = sites.ready(replicas=2, podNaming="Generated", updateStrategy=strategy)
    pods = sites.ready(replicas=2, podNaming="Generated", updateStrategy=strategy, image="web:2")
    assert images(pods) == {"web:2"}
    assert not {p["metadata"]["uid"] for p in first} & {p["metadata"]["uid"] for p in pods}


def test_on_delete_waits_for_a_person(sites: Sites, kubectl: Kubectl) -> None:
    sites.ready(replicas=2, updateStrategy={"type": "OnDelete"})
    before = sites.uids()
    sites.apply(replicas=2, updateStrategy={"type": "OnDelete"}, image="web:2")
    eventually(sites.get, until=lambda s: s["status"]["observedGeneration"] == s["metadata"]["generation"])
    assert sites.uids() == before
    kubectl("delete", "pod", "site-0")
    eventually(sites.get, until=lambda s: s["status"]["updatedReplicas"] == 1)
    assert sites.uids()["site-1"] == before["site-1"]


def test_a_change_of_a_part_reaches_all_that_include_it(sites: Sites) -> None:
    sites.apply_part("git-sync", image="git-sync:1")
    include = [{"kind": "SidecarApp", "name": "git-sync"}]
    for name in ("blog", "shop"):
        [pod] = sites.ready(name, include=include)
        assert [c["image"] for c in pod["spec"]["initContainers"]] == ["git-sync:1", "helper:1"]
    users = [{"kind": "SidecarApp", "name": name} for name in ("blog", "shop")]
    eventually(lambda: sites.get("git-sync"), until=lambda p: p["status"].get("usedBy") == users)

    sites.apply_part("git-sync", image="git-sync:2")
    for name in ("blog", "shop"):
        eventually(
            lambda: sites.pods(name),  # noqa: B023 (called at once)
            until=lambda pods: [p["spec"]["initContainers"][0]["image"] for p in pods] == ["git-sync:2"],
        )
        sites.wait_until_ready(name)

    sites.kubectl("delete", "sidecarapp", "blog")
    eventually(lambda: sites.get("git-sync"), until=lambda p: p["status"].get("usedBy") == users[1:])


def test_a_template_that_the_server_rejects_costs_one_pod_and_is_corrected(sites: Sites) -> None:
    sites.ready(replicas=3)
    before = sites.uids()
    web = {"name": "web", "image": "web:2", "securityContext": {"runAsUser": -1}}
    sites.apply(replicas=3, template={"spec": {"containers": [web], "terminationGracePeriodSeconds": 1}})
    refused = eventually(lambda: sites.condition("ReplicaFailure"), until=lambda c: c.get("status") == "True")
    assert "spec.containers[0].securityContext.runAsUser: Invalid value: -1" in refused["message"]
    assert sites.condition("Ready")["message"].startswith("2 of 3 Pods are available; ")
    assert sites.uids() == {name: before[name] for name in ("site-0", "site-1")}

    sites.ready(replicas=3, image="web:2", updateStrategy={"inPlace": {"containers": "All"}})
    assert {name: uid for name, uid in sites.uids().items() if name != "site-2"} == {
        name: before[name] for name in ("site-0", "site-1")
    }


def test_resources_that_the_server_rejects_cost_nothing(sites: Sites) -> None:
    def template(cpu: str) -> dict[str, Any]:
        resources = {"requests": {"cpu": cpu}, "limits": {"cpu": "200m"}}
        web = {"name": "web", "image": "web:1", "resources": resources}
        return {"spec": {"containers": [web], "terminationGracePeriodSeconds": 1}}

    sites.ready(template=template("100m"))
    before = sites.uids()
    sites.apply(template=template("300m"))
    refused = eventually(lambda: sites.condition("ReplicaFailure"), until=lambda c: c.get("status") == "True")
    assert "must be less than or equal to cpu limit" in refused["message"]
    assert sites.condition("Ready")["message"] == f"1 of 1 Pods are available; {refused['message']}"
    assert sites.condition("Available")["status"] == "True"
    sites.ready(template=template("150m"))
    assert sites.uids() == before
