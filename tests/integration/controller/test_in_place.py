"""Updates in place: only the containers concerned restart."""

from __future__ import annotations

import json
from typing import Any

import pytest

from testbed.cluster.kubectl import Kubectl
from testbed.cluster.operator_process import OperatorProcess
from testbed.eventually import eventually
from tests.integration.controller.sites import Sites, sidecarapp

ALL: dict[str, Any] = {"updateStrategy": {"inPlace": {"containers": "All"}}}
DRAIN: dict[str, Any] = {"updateStrategy": {"inPlace": {"containers": "All", "drainSeconds": 2}}}


def container_ids(pod: dict[str, Any]) -> dict[str, str]:
    statuses = [*pod["status"]["initContainerStatuses"], *pod["status"]["containerStatuses"]]
    return {status["name"]: status["containerID"] for status in statuses}


def _gate(pod: dict[str, Any]) -> dict[str, Any]:
    """The condition of the operator's readiness gate."""
    conditions = pod["status"].get("conditions", ())
    return next((c for c in conditions if c["type"] == "podpatterns.dev/in-service"), {"status": "none"})


def _image(pod: dict[str, Any]) -> str:
    return str(pod["spec"]["containers"][0]["image"])


def helper(image: str) -> list[dict[str, Any]]:
    return [{"name": "helper", "image": image}]


@pytest.mark.parametrize("naming", ["Stable", "Generated"])
def test_a_helpers_image_changes_and_nothing_else(sites: Sites, naming: str) -> None:
    before = sites.ready(replicas=3, podNaming=naming)
    after = sites.ready(replicas=3, podNaming=naming, sidecars=helper("helper:2"))
    assert [p["metadata"]["uid"] for p in after] == [p["metadata"]["uid"] for p in before]
    for old, new in zip(before, after, strict=True):
        assert container_ids(new)["web"] == container_ids(old)["web"]
        assert container_ids(new)["helper"] != container_ids(old)["helper"]
    status = sites.get()["status"]
    assert status["updatedReplicas"] == 3
    assert status["replacements"] == 0
    assert ("SuccessfulUpdate", "Updated 1 Pod: site-2 in place (image of helper)") in sites.events() or (
        naming == "Generated"
    )


def test_labels_annotations_and_resources_change_in_place(sites: Sites, kubectl: Kubectl) -> None:
    def template(cpu: str, **metadata: Any) -> dict[str, Any]:
        web = {"name": "web", "image": "web:1", "resources": {"requests": {"cpu": cpu}}}
        return {"metadata": metadata, "spec": {"containers": [web], "terminationGracePeriodSeconds": 1}}

    sites.ready(template=template("100m", labels={"team": "shop", "tier": "web"}))
    before = sites.uids()
    new = template("200m", labels={"team": "search"}, annotations={"note": "new"})
    [pod] = sites.ready(template=new)
    assert sites.uids() == before
    assert pod["metadata"]["labels"]["team"] == "search"
    assert "tier" not in pod["metadata"]["labels"]
    assert pod["metadata"]["annotations"]["note"] == "new"
    assert pod["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "200m"}


def test_any_other_change_replaces_pods_and_says_why(sites: Sites) -> None:
    sites.ready()
    before = sites.uids()
    web = {"name": "web", "image": "web:1", "command": ["serve"]}
    sites.ready(template={"spec": {"containers": [web], "terminationGracePeriodSeconds": 1}})
    assert sites.uids() != before
    assert (
        "SuccessfulDelete",
        "Deleted 1 Pod: site-0 (Outdated: spec.containers[web].command)",
    ) in sites.events()


def test_the_applications_image_replaces_pods_unless_it_may_restart_in_place(sites: Sites) -> None:
    sites.ready()
    first = sites.uids()
    sites.ready(image="web:2")
    second = sites.uids()
    assert second != first
    deleted = "Deleted 1 Pod: site-0 (Outdated: spec.containers[web].image)"
    assert ("SuccessfulDelete", deleted) in sites.events()
    sites.ready(image="web:3", **ALL)
    assert sites.uids() == second


def test_a_pod_leaves_its_services_before_its_application_restarts(sites: Sites) -> None:
    before = sites.ready(replicas=2, **DRAIN)
    assert {_gate(p)["status"] for p in before} == {"True"}
    sites.ready(replicas=2, **DRAIN, sidecars=helper("helper:2"))
    assert [_gate(p) for p in sites.pods()] == [_gate(p) for p in before], "a helper's restart needs no drain"

    sites.apply(replicas=2, **DRAIN, sidecars=helper("helper:2"), image="web:2")
    out = eventually(lambda: [p for p in sites.pods() if _gate(p)["status"] == "False"], until=bool)
    [draining] = out
    assert (draining["metadata"]["name"], _image(draining)) == ("site-1", "web:1")
    sites.wait_until_ready()
    after = sites.pods()
    assert [p["metadata"]["uid"] for p in after] == [p["metadata"]["uid"] for p in before]
    assert {(_gate(p)["status"], _image(p)) for p in after} == {("True", "web:2")}
    for pod in after:
        started = pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"]
        assert _gate(pod)["lastTransitionTime"] >= started


def test_a_drain_goes_on_in_the_next_operator_and_ends_when_the_update_is_taken_back(
    sites: Sites, operator: OperatorProcess
) -> None:
    long: dict[str, Any] = {"updateStrategy": {"inPlace": {"containers": "All", "drainSeconds": 600}}}
    sites.ready(**long)
    before = sites.uids()
    sites.apply(**long, image="web:2")
    eventually(sites.pods, until=lambda pods: [_gate(p)["status"] for p in pods] == ["False"])
    operator.stop()
    sites.apply(**DRAIN, image="web:2")
    operator.start()
    sites.wait_until_ready()
    assert (sites.uids(), _image(sites.pods()[0])) == (before, "web:2")

    sites.apply(**long, image="web:3")
    eventually(sites.pods, until=lambda pods: [_gate(p)["status"] for p in pods] == ["False"])
    sites.ready(**long, image="web:2")
    assert (sites.uids(), _gate(sites.pods()[0])["status"]) == (before, "True")


def test_a_pod_without_the_gate_is_replaced_by_one_that_has_it(sites: Sites) -> None:
    sites.ready(**ALL)
    before = sites.uids()
    sites.ready(**DRAIN)
    assert sites.uids() == before, "asking for a drain alone changes no Pod"
    [pod] = sites.ready(**DRAIN, image="web:2")
    assert sites.uids() != before
    assert _gate(pod)["status"] == "True"


def _resources(requests: dict[str, str]) -> dict[str, Any]:
    web = {"name": "web", "image": "web:1", "resources": {"requests": requests}}
    return {"spec": {"containers": [web], "terminationGracePeriodSeconds": 1}}


def test_a_resize_that_the_server_refuses_replaces_the_pod(sites: Sites, kubectl: Kubectl) -> None:
    """The limits that the LimitRange adds make the live Pod Guaranteed, which it has to stay."""
    same = {"cpu": "100m", "memory": "64Mi"}
    limits = [{"type": "Container", "default": same, "defaultRequest": same}]
    ranges = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "defaults"}}
    kubectl.apply({**ranges, "spec": {"limits": limits}})
    [before] = sites.ready(template=_resources(same))
    assert before["status"]["qosClass"] == "Guaranteed"
    [after] = sites.ready(template=_resources({"cpu": "50m", "memory": "64Mi"}))
    assert after["status"]["qosClass"] == "Burstable"
    assert sites.get()["status"]["recentReplacements"][0]["reason"] == "Outdated"
    assert any(
        reason == "SuccessfulDelete" and note.startswith("Deleted 1 Pod: site-0 (Outdated: Invalid: ")
        for reason, note in sites.events()
    )


def test_a_resize_that_the_node_refuses_replaces_the_pod_with_the_nodes_message(
    sites: Sites, kubectl: Kubectl
) -> None:
    sites.ready(template=_resources({"cpu": "100m"}))
    before = sites.uids()
    sites.ready(template=_resources({"cpu": "200m"}))
    assert sites.uids() == before
    pending = {"type": "PodResizePending", "status": "True", "reason": "Infeasible", "message": "no such CPU"}
    patch = json.dumps({"status": {"conditions": [pending]}})
    kubectl("patch", "pod", "site-0", "--subresource=status", f"--patch={patch}")
    sites.replaced(before, "site-0")
    sites.wait_until_ready()
    note = "Deleted 1 Pod: site-0 (Outdated: ResizeInfeasible: no such CPU)"
    eventually(sites.events, until=lambda events: ("SuccessfulDelete", note) in events)


def test_recreate_replaces_pods_for_an_image_too(sites: Sites) -> None:
    strategy = {"type": "Recreate"}
    sites.ready(updateStrategy=strategy)
    before = sites.uids()
    sites.ready(updateStrategy=strategy, image="web:2")
    assert sites.uids() != before


def test_a_missing_image_stops_at_max_unavailable_and_is_told_in_the_nodes_words(sites: Sites) -> None:
    sites.ready(replicas=3)
    before = sites.uids()
    sites.apply(replicas=3, sidecars=helper("helper:missing"), progressDeadlineSeconds=2)
    stuck = eventually(
        lambda: sites.condition("Progressing"), until=lambda c: c.get("reason") == "ProgressDeadlineExceeded"
    )
    assert (
        'site-2 (ImagePullBackOff: container helper): Back-off pulling image "helper:missing"'
        in stuck["message"]
    )
    images = {p["metadata"]["name"]: p["spec"]["initContainers"][0]["image"] for p in sites.pods()}
    assert images == {"site-0": "helper:1", "site-1": "helper:1", "site-2": "helper:missing"}
    sites.ready(replicas=3, sidecars=helper("helper:3"))
    assert sites.uids() == before


def test_two_changes_in_quick_succession(sites: Sites) -> None:
    sites.ready(replicas=3)
    before = sites.uids()
    sites.apply(replicas=3, sidecars=helper("helper:2"))
    sites.apply(replicas=3, sidecars=helper("helper:2"), image="web:2", **ALL)
    pods = sites.ready(replicas=3, sidecars=helper("helper:3"), image="web:2", **ALL)
    assert sites.uids() == before
    assert {container_ids(p)["helper"] for p in pods} == {"kwok://helper/helper:3"}
    assert {container_ids(p)["web"] for p in pods} == {"kwok://web/web:2"}


def test_scaling_while_an_update_is_under_way(sites: Sites) -> None:
    sites.ready(replicas=2)
    before = sites.uids()
    sites.apply(replicas=2, sidecars=helper("helper:missing"))
    eventually(
        sites.pods,
        until=lambda pods: any(p["spec"]["initContainers"][0]["image"] == "helper:missing" for p in pods),
    )
    sites.apply(replicas=4, sidecars=helper("helper:missing"))
    eventually(sites.pods, until=lambda pods: len(pods) == 4)
    sites.ready(replicas=4, sidecars=helper("helper:2"))
    assert before.items() <= sites.uids().items()


def test_a_part_is_updated_in_place_in_all_that_include_it(sites: Sites) -> None:
    sites.apply_part("git-sync", image="git-sync:1")
    include = [{"kind": "SidecarApp", "name": "git-sync"}]
    before: dict[str, str] = {}
    for name in ("blog", "shop"):
        sites.ready(name, include=include)
        before |= sites.uids(name)
    sites.apply_part("git-sync", image="git-sync:2")
    for name in ("blog", "shop"):
        eventually(
            lambda: [container_ids(p)["git-sync"] for p in sites.pods(name)],  # noqa: B023 (called at once)
            until=lambda ids: ids == ["kwok://git-sync/git-sync:2"],
        )
        sites.wait_until_ready(name)
    assert sites.uids("blog") | sites.uids("shop") == before


def test_below_the_partition_a_pod_comes_back_as_it_was(sites: Sites, kubectl: Kubectl) -> None:
    sites.ready(replicas=2)
    before = sites.uids()
    held = {"partition": 1}
    sites.apply(replicas=2, sidecars=helper("helper:2"), updateStrategy=held)
    eventually(lambda: sites.condition("Progressing"), until=lambda c: c.get("reason") == "PartitionReached")
    kubectl("delete", "pod", "site-0")
    sites.replaced(before, "site-0")
    images = [p["spec"]["initContainers"][0]["image"] for p in sites.pods()]
    assert images == ["helper:1", "helper:2"]
    sites.ready(replicas=2, sidecars=helper("helper:2"))


def test_while_paused_a_pod_comes_back_as_it_was(sites: Sites, kubectl: Kubectl) -> None:
    sites.ready()
    before = sites.uids()
    sites.apply(image="web:2", updateStrategy={"paused": True})
    eventually(lambda: sites.condition("Progressing"), until=lambda c: c.get("reason") == "Paused")
    kubectl("delete", "pod", "site-0")
    sites.replaced(before, "site-0")
    assert sites.pods()[0]["spec"]["containers"][0]["image"] == "web:1"
    sites.ready(image="web:2")


def test_the_image_of_one_object_is_no_business_of_its_neighbour(sites: Sites, kubectl: Kubectl) -> None:
    kubectl.apply(sidecarapp("other"))
    sites.wait_until_ready("other")
    [before] = sites.pods("other")
    sites.ready()
    sites.ready(image="web:2")
    [after] = sites.pods("other")
    assert after["metadata"]["generation"] == before["metadata"]["generation"]
