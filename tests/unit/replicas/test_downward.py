"""What a container takes of its Pod by the downward API is not changed behind its back."""

from __future__ import annotations

from typing import Any

import pytest

from podpatterns.replicas.change import change

LABEL = {"fieldRef": {"fieldPath": "metadata.labels['tier']"}}
ANNOTATION = {"fieldRef": {"fieldPath": "metadata.annotations['example.com/note']"}}
MEMORY = {"resourceFieldRef": {"resource": "limits.memory"}}


def template(
    *,
    env: Any = (),
    setup: Any = (),
    mounts: Any = (),
    files: Any = (),
    tier: str = "a",
    note: str = "a",
    image: str = "web:1",
    resources: Any = None,
    **container: Any,
) -> dict[str, Any]:
    limits = resources or {"limits": {"cpu": "1", "memory": "1Gi"}}
    web = {"name": "web", "image": image, "env": list(env), "volumeMounts": list(mounts), "resources": limits}
    return {
        "metadata": {"labels": {"tier": tier, "team": "shop"}, "annotations": {"example.com/note": note}},
        "spec": {
            "initContainers": [{"name": "setup", "image": "setup", "env": list(setup)}],
            "containers": [{**web, **container}, {"name": "other", "image": "other"}],
            "volumes": [
                {"name": "info", "downwardAPI": {"items": list(files)}},
                {"name": "both", "projected": {"sources": [{"downwardAPI": {"items": list(files)}}]}},
            ],
        },
    }


def variable(source: Any, name: str = "X") -> list[dict[str, Any]]:
    return [{"name": "FIRST", "value": "1"}, {"name": name, "valueFrom": source}]


def obstacles(before: dict[str, Any], after: dict[str, Any], **same: Any) -> tuple[str, ...]:
    return change(template(**same, **before), template(**same, **after)).obstacles


@pytest.mark.parametrize(("source", "field"), [(LABEL, "tier"), (ANNOTATION, "note")])
class TestVariable:
    def test_of_a_label_or_annotation_that_changes_is_an_obstacle(self, source: Any, field: str) -> None:
        found = obstacles({}, {field: "b"}, env=variable(source))
        assert found == ("spec.containers[web].env[X].valueFrom.fieldRef",)

    def test_of_an_init_container_too(self, source: Any, field: str) -> None:
        found = obstacles({}, {field: "b"}, setup=variable(source))
        assert found == ("spec.initContainers[setup].env[X].valueFrom.fieldRef",)

    def test_of_another_one_is_none(self, source: Any, field: str) -> None:
        other = {"tier": "note", "note": "tier"}[field]
        assert obstacles({}, {other: "b"}, env=variable(source)) == ()

    def test_of_a_container_that_starts_anew_is_none(self, source: Any, field: str) -> None:
        assert obstacles({}, {field: "b", "image": "web:2"}, env=variable(source)) == ()
        found = change(template(env=variable(source)), template(env=variable(source), **{field: "b"}))
        assert not found.in_place

    def test_of_one_that_is_taken_away_is_an_obstacle(self, source: Any, field: str) -> None:
        before, after = template(env=variable(source)), template(env=variable(source))
        del after["metadata"]["labels" if field == "tier" else "annotations"]
        assert change(before, after).obstacles == ("spec.containers[web].env[X].valueFrom.fieldRef",)


def test_a_variable_of_the_revision_is_an_obstacle_for_every_change() -> None:
    source = {"fieldRef": {"fieldPath": "metadata.labels['podpatterns.dev/revision']"}}
    assert obstacles({}, {"tier": "b"}, env=variable(source))
    assert obstacles({}, {"image": "web:2"}, env=variable(source)) == (), "the container starts anew"


@pytest.mark.parametrize("path", ["metadata.name", "status.podIP", "", "['tier']", None])
def test_other_fields_do_not_change(path: str | None) -> None:
    assert obstacles({}, {"tier": "b"}, env=variable({"fieldRef": {"fieldPath": path}})) == ()


FILES = [
    {"path": "tier", **LABEL},
    {"path": "all/labels", "fieldRef": {"fieldPath": "metadata.labels"}},
    {"path": "note", **ANNOTATION},
    {"path": "memory", "resourceFieldRef": {"containerName": "web", "resource": "limits.memory"}},
]
LESS = {"limits": {"cpu": "1", "memory": "512Mi"}}


@pytest.mark.parametrize("volume", ["info", "both"])
class TestFile:
    def test_is_updated_while_the_container_runs(self, volume: str) -> None:
        mounts = [{"name": volume, "mountPath": "/etc/info"}]
        after = {"tier": "b", "note": "b", "resources": LESS}
        assert obstacles({}, after, files=FILES, mounts=mounts) == ()

    @pytest.mark.parametrize(
        ("sub_path", "after", "stays"),
        [
            ("tier", {"tier": "b"}, True),
            ("all", {"tier": "b"}, True),
            ("all/labels", {"tier": "b"}, True),
            ("all/", {"tier": "b"}, True),
            ("memory", {"resources": LESS}, True),
            ("note", {"tier": "b"}, False),
            ("tie", {"tier": "b"}, False),
            ("tier", {"note": "b"}, False),
            ("tier", {"tier": "b", "image": "web:2"}, False),
        ],
    )
    def test_is_not_by_sub_path(self, volume: str, sub_path: str, after: dict[str, Any], stays: bool) -> None:
        mounts = [{"name": volume, "mountPath": "/etc/info", "subPath": sub_path}]
        found = obstacles({}, after, files=FILES, mounts=mounts)
        assert found == (("spec.containers[web].volumeMounts[/etc/info].subPath",) if stays else ())

    def test_is_not_by_a_sub_path_with_variables(self, volume: str) -> None:
        mounts = [{"name": volume, "mountPath": "/etc/info", "subPathExpr": "$(X)"}]
        found = obstacles({}, {"tier": "b"}, files=FILES, mounts=mounts)
        assert found == ("spec.containers[web].volumeMounts[/etc/info].subPathExpr",)
        assert obstacles({}, {"tier": "b"}, mounts=mounts) == ()


class TestAmount:
    OBSTACLE = ("spec.containers[web].env[X].valueFrom.resourceFieldRef",)

    def test_that_a_variable_takes_is_an_obstacle_for_its_resize(self) -> None:
        assert obstacles({}, {"resources": LESS}, env=variable(MEMORY)) == self.OBSTACLE

    def test_of_another_resource_is_none(self) -> None:
        cpu = {"resourceFieldRef": {"resource": "limits.cpu"}}
        assert obstacles({}, {"resources": LESS}, env=variable(cpu)) == ()

    def test_a_request_follows_the_limit(self) -> None:
        request = {"resourceFieldRef": {"resource": "requests.memory"}}
        assert obstacles({}, {"resources": LESS}, env=variable(request)) == self.OBSTACLE

    def test_the_same_amount_in_another_notation_is_none(self) -> None:
        same = {"limits": {"cpu": "1000m", "memory": "1024Mi"}}
        assert obstacles({}, {"resources": same}, env=variable(MEMORY)) == ()

    def test_of_another_container_is_one_too(self) -> None:
        of_web = {"resourceFieldRef": {"containerName": "web", "resource": "limits.memory"}}
        found = obstacles({}, {"resources": LESS}, setup=variable(of_web))
        assert found == ("spec.initContainers[setup].env[X].valueFrom.resourceFieldRef",)

    def test_a_resize_that_restarts_the_container_brings_it(self) -> None:
        restart = [{"resourceName": "memory", "restartPolicy": "RestartContainer"}]
        after = {"resources": LESS}
        assert obstacles({}, after, env=variable(MEMORY), resizePolicy=restart) == ()
        not_needed = [{"resourceName": "memory", "restartPolicy": "NotRequired"}]
        assert obstacles({}, after, env=variable(MEMORY), resizePolicy=not_needed) == self.OBSTACLE


@pytest.mark.parametrize("odd", [None, 7, "x", [], {}, [7], {"fieldRef": 7}, {"fieldRef": {"fieldPath": []}}])
def test_what_cannot_be_read_takes_nothing(odd: Any) -> None:
    mounts = [{"name": "info", "mountPath": "/x", "subPath": "x"}]
    assert (
        obstacles({}, {"tier": "b", "resources": LESS}, env=variable(odd), files=[odd], mounts=mounts) == ()
    )
