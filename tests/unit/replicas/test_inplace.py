"""The patches of an update in place, and the signs that it has arrived."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Literal

import pytest

from podpatterns.api.updatestrategy import InPlace
from podpatterns.compose.labels import RESIZE, REVISION, UPDATED_CONTAINERS
from podpatterns.replicas.change import Change
from podpatterns.replicas.inplace import in_place_patch, permitted, restarting


def live(web: str = "web:1", sync: str = "sync:1", *, generation: int = 1) -> dict[str, Any]:
    """A Pod whose node has carried out its spec: each container's ID tells its image."""
    return {
        "metadata": {"name": "site-0", "uid": "u", "resourceVersion": "7", "generation": generation},
        "spec": {
            "initContainers": [{"name": "sync", "image": sync, "restartPolicy": "Always"}],
            "containers": [{"name": "web", "image": web}],
        },
        "status": {
            "observedGeneration": generation,
            "initContainerStatuses": [{"name": "sync", "containerID": f"id-of-{sync}"}],
            "containerStatuses": [{"name": "web", "containerID": f"id-of-{web}"}],
        },
    }


def patched(pod: dict[str, Any], change: Change) -> dict[str, Any]:
    """The Pod as the server answers, before its node has done anything."""
    patch = in_place_patch(pod, change, "new")
    pod = deepcopy(pod)
    meta = pod["metadata"]
    meta["annotations"] = {**meta.get("annotations", {}), **patch["metadata"].get("annotations", {})}
    for place, containers in patch.get("spec", {}).items():
        for changed in containers:
            next(c for c in pod["spec"][place] if c["name"] == changed["name"]).update(changed)
    meta["generation"] += 1
    return pod


def acted(pod: dict[str, Any], *replaced: str) -> dict[str, Any]:
    """The same once its node has taken note, and has replaced these containers."""
    pod = deepcopy(pod)
    pod["status"]["observedGeneration"] = pod["metadata"]["generation"]
    images = {c["name"]: c["image"] for p in ("initContainers", "containers") for c in pod["spec"][p]}
    for place in ("initContainerStatuses", "containerStatuses"):
        for status in pod["status"][place]:
            if status["name"] in replaced:
                status["containerID"] = f"id-of-{images[status['name']]}"
    return pod


def test_the_patch_holds_for_the_pod_as_it_was_seen() -> None:
    patch = in_place_patch(
        live(), Change(images={"sync": "sync:2"}, labels={"tier": "web", "old": None}), "new"
    )
    assert patch["metadata"] == {
        "uid": "u",
        "resourceVersion": "7",
        "labels": {"tier": "web", "old": None, REVISION: "new"},
        "annotations": {UPDATED_CONTAINERS: '{"sync":{"id":"id-of-sync:1","image":"sync:1"}}'},
    }
    assert patch["spec"] == {"initContainers": [{"name": "sync", "image": "sync:2"}]}


APPLICATION = {"web"}
PERMITTED = [
    ("Helpers", Change(images={"sync": "2"}, restarts={"sync": "spec.initContainers[sync].image"}), ()),
    ("Helpers", Change(images={"web": "2"}, restarts={"web": "spec.x"}), ("spec.x",)),
    ("Helpers", Change(restarts={"web": "spec.x"}, obstacles=("spec.y",)), ("spec.y", "spec.x")),
    ("Helpers", Change(resources={"web": {}}), ()),
    ("All", Change(images={"web": "2"}, restarts={"web": "spec.x"}), ()),
]


@pytest.mark.parametrize(("containers", "change", "obstacles"), PERMITTED)
def test_the_application_restarts_in_place_only_where_that_is_asked_for(
    containers: Literal["Helpers", "All"], change: Change, obstacles: tuple[str, ...]
) -> None:
    assert permitted(change, InPlace(containers=containers), APPLICATION).obstacles == obstacles


def test_a_change_of_labels_leaves_the_spec_and_asks_for_no_restart() -> None:
    patch = in_place_patch(live(), Change(labels={"tier": "web"}), "new")
    assert "spec" not in patch
    assert "annotations" not in patch["metadata"]


def test_resources_that_were_asked_for_are_part_of_the_next_revision_too() -> None:
    pod = live()
    pod["metadata"]["annotations"] = {
        RESIZE: '{"revision":"old","resources":{"web":{"requests":{"cpu":"2"}}}}'
    }
    patch = in_place_patch(pod, Change(labels={"tier": "web"}), "new")
    assert patch["metadata"]["annotations"] == {
        RESIZE: '{"resources":{"web":{"requests":{"cpu":"2"}}},"revision":"new"}'
    }


def test_it_has_arrived_when_the_container_is_another() -> None:
    pod = patched(live(), Change(images={"sync": "sync:2"}))
    assert restarting(pod)
    assert restarting(acted(pod)), "the node knows, and the old container still runs"
    assert not restarting(acted(pod, "sync"))


def test_a_container_that_ended_and_was_not_replaced_is_awaited() -> None:
    pod = acted(patched(live(), Change(images={"web": "web:missing"})))
    del pod["status"]["containerStatuses"][0]["containerID"]
    assert restarting(pod)


def test_a_second_change_waits_for_what_the_first_left_open() -> None:
    first = patched(live(), Change(images={"sync": "sync:2"}))
    second = patched(first, Change(images={"web": "web:2"}))
    assert restarting(acted(second, "web"))
    assert not restarting(acted(second, "web", "sync"))


def test_back_to_the_image_that_still_runs_waits_for_no_restart() -> None:
    there = patched(live(), Change(images={"web": "web:2"}))
    back = patched(there, Change(images={"web": "web:1"}))
    assert restarting(back), "the node may be replacing it right now"
    assert not restarting(acted(back)), "it never did"
    assert not restarting(acted(back, "web"))


def test_an_annotation_that_somebody_spoiled_holds_nothing_up() -> None:
    pod = live()
    deep, beyond = "[" * 1200, '{"web": 1%s}' % ("0" * 5000)
    for spoiled in ("", "[]", "{", '{"web": 1}', '{"web": {"id": 1}}', deep, '{"a":' * 1200, beyond, None):
        pod["metadata"]["annotations"] = {UPDATED_CONTAINERS: spoiled}
        assert not restarting(pod)
