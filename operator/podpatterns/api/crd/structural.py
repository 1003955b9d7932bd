"""From pydantic's JSON Schema to the structural schema that a CRD must have.

A structural schema gives every node a type, refers to nothing, and knows neither null nor forbidden fields:
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic.json_schema import JsonSchemaValue

from podpatterns.api.kubernetes import SCHEMA_KEY

Resolve = Callable[[str], JsonSchemaValue]
"""The structural schema of a Kubernetes type, by the name of the client's model."""

_KEPT = {
    "description",
    "enum",
    "format",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "pattern",
    "required",
    "type",
}
_UNDERSTOOD = {
    "additionalProperties",
    "anyOf",
    "const",
    "default",
    "items",
    "patternProperties",
    "properties",
    "propertyNames",
    "title",
    SCHEMA_KEY,
}
_NULL = {"type": "null"}
_INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]


def structural(
    schema: Mapping[str, Any], definitions: Mapping[str, Any], kubernetes: Resolve
) -> JsonSchemaValue:
    """The structural schema of a node; `definitions` are what its `$ref`s point to.

    Raises ValueError for what a structural schema can't say, or this function doesn't know how to.
    """
    node = _flat(schema, definitions)
    if unknown := {k for k in node if not k.startswith("x-kubernetes-")} - _KEPT - _UNDERSTOOD:
        raise ValueError(f"no structural schema is known for {', '.join(unknown)}")
    result = {key: value for key, value in node.items() if key in _KEPT or key.startswith("x-kubernetes-")}
    if "description" in result:
        result["description"] = " ".join(result["description"].split())
    if "const" in node:
        result["enum"] = [node["const"]]
    if node.get("anyOf") == _INT_OR_STRING:
        result |= {"anyOf": _INT_OR_STRING, "x-kubernetes-int-or-string": True}
    elif "anyOf" in node:
        raise ValueError(f"a field of several types has no structural schema: {node['anyOf']}")
    if (default := _without_nulls(node.get("default"))) not in (None, [], {}):
        result["default"] = default

    def child(of: Mapping[str, Any]) -> JsonSchemaValue:
        return structural(of, definitions, kubernetes)

    if "properties" in node:
        result["properties"] = {name: child(value) for name, value in node["properties"].items()}
    if "items" in node:
        result["items"] = _without_defaults(child(node["items"]))
    if (values := _values(node)) is not None:
        result["additionalProperties"] = child(values)
    if SCHEMA_KEY in node:
        result = _merged(_kubernetes(node[SCHEMA_KEY], kubernetes), result)
    return result


def _without_defaults(schema: JsonSchemaValue) -> JsonSchemaValue:
    """Return the schema of a list's items without defaults: the models have them.

    A list is compared as a whole by `kubectl apply`, which would find it changed by them each time.
    """
    result = {key: value for key, value in schema.items() if key != "default"}
    if "properties" in schema:
        result["properties"] = {n: _without_defaults(of) for n, of in schema["properties"].items()}
    for key in {"items", "additionalProperties"} & schema.keys():
        result[key] = _without_defaults(schema[key])
    return result


def _flat(node: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """The node without `$ref` and without null; what stands beside either has the last word."""
    beside = {key: value for key, value in node.items() if key not in ("$ref", "anyOf")}
    if "$ref" in node:
        return _flat({**definitions[node["$ref"].rpartition("/")[2]], **beside}, definitions)
    alternatives = [option for option in node.get("anyOf", ()) if option != _NULL]
    if len(alternatives) == 1:
        return _flat({**alternatives[0], **beside}, definitions)
    return {**beside, "anyOf": alternatives} if alternatives else beside


def _without_nulls(default: Any) -> Any:
    if isinstance(default, dict):
        return {key: _without_nulls(value) for key, value in default.items() if value is not None}
    return default


def _values(node: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The schema of a map's values; patterns of keys have no place in a structural schema."""
    for pattern_properties in (node.get("patternProperties") or {}).values():
        return dict(pattern_properties)
    values = node.get("additionalProperties")
    return values if isinstance(values, dict) else None


def _kubernetes(marker: Mapping[str, Any], kubernetes: Resolve) -> JsonSchemaValue:
    schema = kubernetes(marker["name"])
    return {k: v for k, v in schema.items() if k != "required"} if marker["partial"] else schema


def _merged(kubernetes: JsonSchemaValue, ours: JsonSchemaValue) -> JsonSchemaValue:
    properties = {**kubernetes["properties"], **ours.get("properties", {})}
    required = sorted({*kubernetes.get("required", ()), *ours.get("required", ())})
    return {**kubernetes, **ours, "properties": properties, **({"required": required} if required else {})}
