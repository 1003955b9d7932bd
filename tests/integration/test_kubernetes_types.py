"""Kubernetes' own types inside our kinds: the API server's schema of them, and nothing lost on the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from podpatterns.api.crd.kubernetes import kubernetes_schema
from podpatterns.api.scalar import QUANTITY_SCHEMA
from testbed.cluster.kubectl import Kubectl

QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
POD_TEMPLATE_SPEC = "io.k8s.api.core.v1.PodTemplateSpec"

TAKES_DUPLICATES = {"env", "hostAliases", "imagePullSecrets", "ports"}
"""List-maps whose keys a Pod may have twice all the same, as no CRD's may: ours are atomic."""

Schema = dict[str, Any]


def test_the_schema_of_a_pod_template_is_the_api_servers(kubectl: Kubectl) -> None:
    types = json.loads(kubectl("get", "--raw", "/openapi/v3/api/v1"))["components"]["schemas"]

    ours = flattened(kubernetes_schema("V1PodTemplateSpec"), {})

    assert ours == flattened(types[POD_TEMPLATE_SPEC], types)


def flattened(schema: Schema, types: dict[str, Schema]) -> Schema:
    """A schema with its references followed, reduced to what a CRD can say and ours does say."""
    if "allOf" in schema:
        return flattened(schema["allOf"][0], types)
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name == OBJECT_META:  # of what is made from a template, only this can be chosen
            strings = {"type": "object", "additionalProperties": {"type": "string"}}
            chosen = {"type": "object", "properties": {"annotations": strings, "labels": strings}}
            return flattened(chosen, types)
        return {"is": name} if name in {QUANTITY, INT_OR_STRING} else flattened(types[name], types)
    if schema == QUANTITY_SCHEMA:
        return {"is": QUANTITY}
    if schema.get("x-kubernetes-int-or-string"):
        return {"is": INT_OR_STRING}
    kept: Schema = {"type": schema["type"], "required": sorted(schema.get("required", ()))}
    for key in ("x-kubernetes-list-map-keys", "x-kubernetes-list-type", "x-kubernetes-map-type"):
        if key in schema and not (key == "x-kubernetes-list-type" and schema[key] == "atomic"):
            kept[key] = schema[key]
    if "properties" in schema:
        kept["properties"] = {name: flattened(value, types) for name, value in schema["properties"].items()}
        _without_keys(kept["properties"])
    for key in ("items", "additionalProperties"):
        if key in schema:
            kept[key] = flattened(schema[key], types)
    return kept


def _without_keys(properties: dict[str, Schema]) -> None:
    for name in TAKES_DUPLICATES & properties.keys():
        for key in ("x-kubernetes-list-map-keys", "x-kubernetes-list-type"):
            properties[name].pop(key, None)
        # A key of a list-map has a default or is required.
        properties[name]["items"]["required"] = []


def test_a_template_that_says_everything_comes_back_as_written(kubectl: Kubectl, crds: Path) -> None:
    template = everything(kubernetes_schema("V1PodTemplateSpec"))
    sidecar = everything(kubernetes_schema("V1Container")) | {"order": "WithApp"}

    kubectl.apply(
        {
            "apiVersion": "podpatterns.dev/v1alpha1",
            "kind": "SidecarApp",
            "metadata": {"name": "everything"},
            "spec": {"template": template, "sidecars": [sidecar]},
        }
    )

    spec = kubectl.get("sidecarapp", "everything")["spec"]
    assert spec["template"] == template
    assert spec["sidecars"] == [sidecar]


def everything(schema: Schema) -> Any:
    """A value in which every field that the schema knows is set."""
    if "x-kubernetes-int-or-string" in schema:
        return "1"
    match schema["type"]:
        case "object" if "additionalProperties" in schema:
            return {"key": everything(schema["additionalProperties"])}
        case "object":
            return {name: everything(value) for name, value in schema["properties"].items()}
        case "array":
            return [everything(schema["items"])]
        case scalar:
            return {"string": "text", "integer": 1, "boolean": True}[scalar]
