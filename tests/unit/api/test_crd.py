"""The rules that every schema of ours keeps; that the API server takes them, an integration test shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from podpatterns.api.bounds import KUBERNETES_LISTS
from podpatterns.api.crd import definitions
from podpatterns.api.crd.kubernetes import kubernetes_schema
from podpatterns.api.crd.structural import structural
from podpatterns.api.model import Model

CRDS = {crd["spec"]["names"]["kind"]: crd for crd in definitions().values()}
ANNOTATION_LIMIT = 256 * 1024
"""Bytes that all annotations of an object may have together; client-side apply keeps a copy of it in one."""
STRUCTURAL = {
    "additionalProperties",
    "anyOf",
    "default",
    "description",
    "enum",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "pattern",
    "properties",
    "required",
    "type",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
    "x-kubernetes-validations",
}


def schema(kind: str) -> dict[str, Any]:
    found: dict[str, Any] = CRDS[kind]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return found


def nodes(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    for key, suffix in (("items", "[]"), ("additionalProperties", "{}")):
        if key in schema:
            yield from nodes(schema[key], path + suffix)


def node(kind: str, path: str) -> dict[str, Any]:
    return dict(nodes(schema(kind)))[path]


@pytest.fixture(params=CRDS)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_every_node_is_structural(kind: str) -> None:
    for path, found in nodes(schema(kind)):
        assert found.keys() <= STRUCTURAL, path
        if found.get("x-kubernetes-int-or-string"):
            assert found["anyOf"] == [{"type": "integer"}, {"type": "string"}], path
            assert "type" not in found, path
        else:
            assert "anyOf" not in found, path
            assert found["type"] in {"object", "array", "string", "integer", "number", "boolean"}, path
        assert ("items" in found) == (found.get("type") == "array"), path


def test_keys_of_a_list_map_are_required_or_have_a_default(kind: str) -> None:
    for path, found in nodes(schema(kind)):
        if found.get("x-kubernetes-list-type") == "map":
            item = found["items"]
            for key in found["x-kubernetes-list-map-keys"]:
                assert key in item.get("required", ()) or "default" in item["properties"][key], (
                    f"{path}: {key}"
                )


def bounds_missing(found: dict[str, Any]) -> bool:
    """It is a list, a map or a string of any length."""
    match found:
        case {"type": "array"}:
            return "maxItems" not in found
        case {"type": "object", "additionalProperties": _}:
            return "maxProperties" not in found
        case {"type": "string"} | {"x-kubernetes-int-or-string": True}:
            return "maxLength" not in found and "enum" not in found
    return False


def test_every_field_of_ours_has_a_bound(kind: str) -> None:
    """Of a template and of containers those that cost something; the API server has its own for metadata."""
    of_kubernetes = re.compile(
        r"template\.|container\.|sidecars\[\]\.(?!name|order)|resources\.|volumeClaimTemplates\[\]\.spec\."
        r"|spec\.volumes\[\]\.|initContainers\[\]\.|env\[\]\.(?!name$)|resources\[\]\.(?!container$)"
    )
    unbounded = [
        path
        for path, found in nodes(schema(kind))
        if path.startswith((".spec", ".status")) and not of_kubernetes.search(path) and bounds_missing(found)
    ]
    assert unbounded == []


@pytest.mark.parametrize(
    "path",
    [
        *(f".spec.{name}" for name in ("containers", "initContainers", "ephemeralContainers", "volumes")),
        *(
            f".spec.{containers}[].{name}"
            for containers in ("containers", "initContainers", "ephemeralContainers")
            for name in ("args", "command", "env", "envFrom", "ports", "volumeDevices", "volumeMounts")
        ),
        ".metadata.labels",
        ".metadata.annotations",
        ".spec.volumes[].projected.sources",
    ],
)
def test_the_lists_of_a_template_have_bounds(kind: str, path: str) -> None:
    assert not bounds_missing(node(kind, f".spec.template{path}"))


def test_the_lists_of_a_sidecar_have_the_bounds_of_a_container() -> None:
    sidecar, container = (
        node("SidecarApp", f".spec.{of}[]")["properties"] for of in ("sidecars", "template.spec.containers")
    )
    for name in ("args", "env", "ports", "volumeMounts"):
        assert sidecar[name]["maxItems"] == container[name]["maxItems"] >= 128


@pytest.mark.parametrize("name", ["V1PodSpec", "V1Container", "V1ProjectedVolumeSource"])
def test_every_bound_is_that_of_a_list(name: str) -> None:
    properties = kubernetes_schema(name)["properties"]
    for (of, field), bound in KUBERNETES_LISTS.items():
        if of == name:
            assert properties[field]["maxItems"] == bound
    assert {of for of, _ in KUBERNETES_LISTS} == {"V1PodSpec", "V1Container", "V1ProjectedVolumeSource"}


def test_every_field_of_ours_is_described() -> None:
    def models(base: type[Model]) -> Iterator[type[Model]]:
        for model in base.__subclasses__():
            yield model
            yield from models(model)

    undescribed = [
        f"{model.__name__}.{name}"
        for model in models(Model)
        for name, field in model.model_fields.items()
        if not field.description and name not in {"api_version", "kind", "metadata"}
    ]

    assert [name for name in undescribed if not name.startswith("ObjectMeta.")] == []


def test_descriptions_begin_with_their_subject(kind: str) -> None:
    """`kubectl explain` shows them: a noun or what the field does, no question and no side clause."""
    question = re.compile(r"(After|How|In|What|When|Where|Whether|Which|Those|Why)\b|[a-z]")
    found = [
        (path, described) for path, found in nodes(schema(kind)) if (described := found.get("description"))
    ]
    assert [(path, text) for path, text in found if question.match(text) or text[-1] not in ".…"] == []


def test_kubernetes_types_are_complete_and_have_no_descriptions(kind: str) -> None:
    template = dict(nodes(node(kind, ".spec.template")))
    pod = template[".spec"]["properties"]

    assert {
        "containers",
        "ephemeralContainers",
        "hostUsers",
        "resourceClaims",
        "topologySpreadConstraints",
    } <= pod.keys()
    assert [path for path, found in template.items() if path and "description" in found] == []


@pytest.mark.parametrize(
    "path",
    [
        ".spec.sharedMemory",
        ".spec.sharedVolumes[].sizeLimit",
        ".spec.updateStrategy.maxUnavailable",
        ".spec.sidecars[].resources.limits{}",
        ".spec.sidecars[].livenessProbe.httpGet.port",
        ".spec.template.spec.overhead{}",
        ".spec.template.spec.volumes[].emptyDir.sizeLimit",
    ],
)
def test_quantities_and_ports_are_numbers_or_strings(path: str) -> None:
    assert node("SidecarApp", path)["x-kubernetes-int-or-string"] is True


def test_a_sidecar_has_the_fields_of_a_container_and_order() -> None:
    sidecar = node("SidecarApp", ".spec.sidecars[]")
    container = node("SidecarApp", ".spec.template.spec.containers[]")

    assert sidecar["properties"].keys() - container["properties"].keys() == {"order"}
    assert sidecar["required"] == container["required"] == ["name"]


def test_a_fragment_of_a_container_needs_no_name() -> None:
    assert "required" not in node("Ambassador", ".spec.proxy.container")
    assert node("Ambassador", ".spec.upstreams[].local.container")["required"] == ["name"]


def test_a_nested_object_left_out_gets_all_its_defaults() -> None:
    assert node("SidecarApp", ".spec.updateStrategy")["default"] == {
        "type": "InPlaceIfPossible",
        "inPlace": {"containers": "Helpers", "drainSeconds": 0, "resizeTimeoutSeconds": 60},
        "maxUnavailable": "25%",
        "maxSurge": 0,
        "partition": 0,
        "paused": False,
    }


def test_client_side_apply_can_annotate_the_crd(kind: str) -> None:
    assert len(json.dumps(CRDS[kind])) < ANNOTATION_LIMIT * 3 / 4


@pytest.mark.parametrize(
    "schema",
    [{"type": "integer", "exclusiveMinimum": 0}, {"anyOf": [{"type": "boolean"}, {"type": "string"}]}],
    ids=["unknown-keyword", "several-types"],
)
def test_what_has_no_structural_schema_is_not_passed_over(schema: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="structural schema"):
        structural(schema, {}, kubernetes_schema)
