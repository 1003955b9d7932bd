"""A change of resources, and what the Pod says of it meanwhile."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from podpatterns.compose.labels import RESIZE, REVISION
from podpatterns.replicas.change import Change
from podpatterns.replicas.resize import (
    Resize,
    announcement,
    asks_for,
    resize,
    resize_patch,
    still_asked_for,
    withdrawal,
)

CHANGE = Change(resources={"web": {"requests": {"cpu": "200m"}}})


def live(cpu: str = "100m", **annotations: str) -> dict[str, Any]:
    return {
        "metadata": {
            "name": "site-0",
            "uid": "u",
            "resourceVersion": "7",
            "labels": {REVISION: "old"},
            "annotations": annotations,
        },
        "spec": {
            "initContainers": [{"name": "sync", "image": "sync"}],
            "containers": [{"name": "web", "image": "web", "resources": {"requests": {"cpu": cpu}}}],
        },
    }


def announced(pod: dict[str, Any], change: Change = CHANGE, revision: str = "new") -> dict[str, Any]:
    patch = announcement(pod, change, revision)
    assert patch is not None
    assert (patch["metadata"]["uid"], patch["metadata"]["resourceVersion"]) == ("u", "7")
    pod = deepcopy(pod)
    pod["metadata"]["annotations"] |= patch["metadata"]["annotations"]
    return pod


def resized(pod: dict[str, Any], change: Change = CHANGE) -> dict[str, Any]:
    pod = deepcopy(pod)
    for container in resize_patch(pod, change)["spec"]["containers"]:
        next(c for c in pod["spec"]["containers"] if c["name"] == container["name"]).update(container)
    return pod


def test_resources_have_a_patch_of_their_own() -> None:
    web = {"name": "web", "resources": {"requests": {"cpu": "200m"}}}
    assert resize_patch(live(), CHANGE) == {"metadata": {"uid": "u"}, "spec": {"containers": [web]}}


def test_a_pod_says_to_which_revision_it_is_brought_before_it_is() -> None:
    pod = announced(live())
    assert resize(pod) == Resize("new", CHANGE.resources)
    assert announcement(pod, CHANGE, "new") is None, "it says so already"


def test_it_is_taken_back_as_it_was() -> None:
    assert withdrawal(live())["metadata"] == {"uid": "u", "annotations": {RESIZE: None}}
    before = announced(live(), revision="old")
    assert withdrawal(before)["metadata"]["annotations"] == before["metadata"]["annotations"]


def test_what_was_asked_for_before_and_still_holds_goes_on_being_known() -> None:
    first = resized(announced(live()))
    other = Change(resources={"sync": {"requests": {"cpu": "1"}}})
    second = resize(announced(first, other, "third"))
    assert second == Resize("third", {**CHANGE.resources, **other.resources})
    first["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "300m"}}
    assert resize(announced(first, other, "third")) == Resize("third", other.resources), "somebody else's"


def test_resources_are_the_operators_while_they_are_what_it_asked_for() -> None:
    asked = Resize("new", CHANGE.resources)
    assert not still_asked_for(live(), asked)
    assert still_asked_for(live("200m"), asked)
    assert still_asked_for(live("0.2"), asked)


@pytest.mark.parametrize("amount", ["much", "1e999999999Ki", "", None, [], {}, "9" * 1000, True])
def test_amounts_that_are_none_are_not_the_same(amount: Any) -> None:
    assert not asks_for({"requests": {"cpu": amount}}, {"requests": {"cpu": "200m"}})
    assert not asks_for({"requests": {"cpu": "200m"}}, {"requests": {"cpu": amount}})


@pytest.mark.parametrize("spoiled", ["", "[", "[" * 1200, "1", "{}", '{"revision":1}', '{"resources":{}}'])
def test_an_annotation_that_somebody_spoiled_says_nothing(spoiled: str) -> None:
    pod = live(**{RESIZE: spoiled})
    assert resize(pod) is None
    assert announcement(pod, CHANGE, "new") is not None
