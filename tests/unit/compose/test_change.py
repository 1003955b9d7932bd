"""What changes from one template to another, and whether a running Pod can take it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from podpatterns.compose import Change, change

TEMPLATE: dict[str, Any] = {
    "metadata": {"labels": {"team": "shop"}, "annotations": {"note": "old"}},
    "spec": {
        "initContainers": [
            {"name": "setup", "image": "setup:1"},
            {"name": "sync", "image": "sync:1", "restartPolicy": "Always"},
        ],
        "containers": [
            {
                "name": "web",
                "image": "web:1",
                "env": [{"name": "A", "value": "1"}],
                "resources": {"requests": {"cpu": "100m"}, "limits": {"memory": "64Mi"}},
            }
        ],
        "volumes": [{"name": "page", "emptyDir": {}}],
    },
}


def edited(path: str, value: Any) -> dict[str, Any]:
    """The template with one field set; a path as in spec.containers.0.image."""
    template = deepcopy(TEMPLATE)
    *way, last = path.split(".")
    at: Any = template
    for step in way:
        at = at[int(step)] if isinstance(at, list) else at[step]
    if isinstance(at, list):
        at[int(last)] = value
    else:
        at[last] = value
    return template


def test_nothing() -> None:
    assert change(TEMPLATE, deepcopy(TEMPLATE)) == Change()
    assert Change().in_place


@pytest.mark.parametrize(
    ("path", "container"), [("spec.containers.0.image", "web"), ("spec.initContainers.1.image", "sync")]
)
def test_images_of_what_keeps_running_change_in_place(path: str, container: str) -> None:
    found = change(TEMPLATE, edited(path, "new:2"))
    assert (found.images, found.obstacles) == ({container: "new:2"}, ())


def test_labels_and_annotations_change_in_place_and_go() -> None:
    found = change(TEMPLATE, edited("metadata", {"labels": {"team": "shop", "tier": "web"}}))
    assert (found.labels, found.annotations, found.obstacles) == ({"tier": "web"}, {"note": None}, ())


def test_amounts_of_cpu_and_memory_change_in_place_with_every_request_spelled_out() -> None:
    found = change(
        TEMPLATE, edited("spec.containers.0.resources", {"requests": {"cpu": 1}, "limits": {"memory": "1Gi"}})
    )
    assert found.in_place
    assert found.resources == {"web": {"requests": {"memory": "1Gi", "cpu": 1}, "limits": {"memory": "1Gi"}}}


OBSTACLES = [
    (
        "an init container that has ended",
        "spec.initContainers.0.image",
        "setup:2",
        "spec.initContainers[setup].image",
    ),
    ("a field of a container", "spec.containers.0.command", ["sh"], "spec.containers[web].command"),
    ("one variable", "spec.containers.0.env.0.value", "2", "spec.containers[web].env[A].value"),
    ("a new container", "spec.containers", [{"name": "other", "image": "web:1"}], "spec.containers"),
    ("a field of the Pod", "spec.hostNetwork", True, "spec.hostNetwork"),
    ("a volume", "spec.volumes.0.emptyDir", {"medium": "Memory"}, "spec.volumes[page].emptyDir.medium"),
    (
        "a resource more",
        "spec.containers.0.resources.limits",
        {"memory": "64Mi", "cpu": 1},
        "spec.containers[web].resources",
    ),
    (
        "other resources",
        "spec.containers.0.resources.requests",
        {"cpu": 1, "example.com/gpu": 1},
        "spec.containers[web].resources",
    ),
    (
        "resources of what has ended",
        "spec.initContainers.0.resources",
        {"requests": {"cpu": 1}},
        "spec.initContainers[setup].resources",
    ),
]


@pytest.mark.parametrize(("path", "value", "obstacle"), [pytest.param(*o[1:], id=o[0]) for o in OBSTACLES])
def test_anything_else_is_an_obstacle(path: str, value: Any, obstacle: str) -> None:
    assert change(TEMPLATE, edited(path, value)).obstacles == (obstacle,)


def test_another_quality_of_service_is_an_obstacle() -> None:
    def template(cpu: str) -> dict[str, Any]:
        resources = {"requests": {"cpu": cpu, "memory": "1Gi"}, "limits": {"cpu": "1000m", "memory": "1Gi"}}
        return {"spec": {"containers": [{"name": "web", "image": "web", "resources": resources}]}}

    assert change(template("1"), template("500m")).obstacles == ("status.qosClass",)
    assert change(template("600m"), template("500m")).in_place


def test_an_image_and_something_else_is_told_by_the_obstacle_alone() -> None:
    both = edited("spec.containers.0.image", "web:2")
    both["spec"]["hostNetwork"] = True
    assert str(change(TEMPLATE, both)) == "spec.hostNetwork"
    assert str(change(TEMPLATE, edited("spec.containers.0.image", "web:2"))) == "image of web"
