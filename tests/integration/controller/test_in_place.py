"""Updates in place: only the containers concerned restart."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.cluster.kubectl import Kubectl
from testbed.eventually import eventually
from tests.integration.controller.sites import Sites, sidecarapp


def container_ids(pod: dict[str, Any]) -> dict[str, str]:
    statuses = [*pod["status"]["initContainerStatuses"], *pod["status"]["containerStatuses"]]
    return {status["name"]: status["containerID"] for status in statuses}


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
    sites.apply(replicas=3, sidecars=helper("helper:2"), image="web:2")
    pods = sites.ready(replicas=3, sidecars=helper("helper:3"), image="web:2")
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
