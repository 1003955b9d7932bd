"""The form of objects, without a server."""

from __future__ import annotations

from typing import Any

import pytest

from podpatterns.cli.schema import malformed
from testbed.builders import template
from testbed.manifests import manifest

WEB = {"name": "web", "image": "web:1"}
CONTAINER = "spec.template.spec.containers[0]"


def told(spec: dict[str, Any], kind: str = "SidecarApp") -> list[str]:
    return list(map(str, malformed(manifest(kind, "site", {"template": template(WEB), **spec}))))


def of_container(**fields: Any) -> list[str]:
    return told({"template": template({**WEB, **fields})})


def test_what_the_server_drops_is_nothing() -> None:
    assert of_container(env=None, resources=None, ports=[{"containerPort": 80, "name": None}]) == []


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"imagee": "web:2"}, ".imagee: unknown field: did you mean image?"),
        ({"xyz": 1}, ".xyz: unknown field"),
        ({"ports": [{"containerPort": "80"}]}, '.ports[0].containerPort: must be an integer, not "80"'),
        ({"ports": [{"name": "http"}]}, ".ports[0].containerPort: required"),
        ({"ports": {}}, ".ports: must be a list, not a map"),
        ({"stdin": 1}, ".stdin: must be true or false, not 1"),
        (
            {"resources": {"limits": {"memory": "1QX"}}},
            '.resources.limits.memory: "1QX" is no quantity such as 500m or 64Mi',
        ),
        (
            {"resources": {"limits": {"cpu": True}}},
            ".resources.limits.cpu: must be an integer or a string, not true",
        ),
    ],
)
def test_fields_of_a_container(fields: dict[str, Any], error: str) -> None:
    assert of_container(**fields) == [f"{CONTAINER}{error}"]


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        ({"replicas": -1}, "replicas: must be at least 0, not -1"),
        ({"replicas": 1 << 40}, f"replicas: must be at most 100000, not {1 << 40}"),
        ({"podNaming": "stable"}, 'podNaming: "stable" is none of Stable, Generated: did you mean Stable?'),
        (
            {"sidecars": [{**WEB, "volumeMount": []}]},
            "sidecars[0].volumeMount: unknown field: did you mean volumeMounts?",
        ),
        ({"sharedVolumes": [None]}, "sharedVolumes[0]: must be a map, not None"),
        (
            {"include": [{"kind": "Adapter", "name": f"x{i}"} for i in range(40)]},
            "include: has 40 items: at most 32 are possible",
        ),
    ],
)
def test_fields_of_ours(spec: dict[str, Any], error: str) -> None:
    assert told(spec) == [f"spec.{error}"]


def test_a_misspelt_field_is_not_told_as_missing_too() -> None:
    assert told({"upstream": []}, "Ambassador") == ["spec.upstream: unknown field: did you mean upstreams?"]
    assert told({}, "Ambassador") == ["spec.upstreams: required"]


def test_many_errors_are_told_in_the_order_of_their_fields() -> None:
    found = told({"sidecars": [{"name": f"s{i}", "x": 1} for i in range(30)]})
    assert found[:2] == ["spec.sidecars[0].x: unknown field", "spec.sidecars[1].x: unknown field"]
    assert (len(found), found[-1]) == (20, "spec: 11 problems more: mend these first")


def test_what_the_server_keeps_beside_is_no_error() -> None:
    obj = manifest("SidecarApp", "site", {"template": template(WEB)})
    obj["metadata"] |= {"labels": {"a": "b"}, "resourceVersion": "1"}
    obj["status"] = {"anything": 1}
    assert malformed(obj) == ()
