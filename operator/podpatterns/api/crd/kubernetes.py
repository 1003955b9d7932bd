"""The schema of Kubernetes' own types, from the client's models.

The models tell names, types and what is required. The tables here add what they don't: which strings are
quantities, and which lists are maps. An integration test holds both against the API server's own schema.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import kubernetes.client
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaValue

from podpatterns.api.bounds import KUBERNETES_LISTS, LABELS
from podpatterns.api.crd.structural import structural
from podpatterns.api.model import LIST_SET, Validation, list_map
from podpatterns.api.names import GROUP
from podpatterns.api.scalar import QUANTITY_SCHEMA

_QUANTITIES = {
    ("V1EmptyDirVolumeSource", "sizeLimit"),
    ("V1ResourceFieldSelector", "divisor"),
}

_MAPS_OF_QUANTITIES = {
    ("V1PodSpec", "overhead"),
    ("V1ResourceRequirements", "limits"),
    ("V1ResourceRequirements", "requests"),
    ("V1VolumeResourceRequirements", "limits"),
    ("V1VolumeResourceRequirements", "requests"),
}

_LISTS = {
    "claims": list_map("name"),
    "containers": list_map("name"),
    "ephemeralContainers": list_map("name"),
    "evictionResponders": list_map("name"),
    "initContainers": list_map("name"),
    "resourceClaims": list_map("name"),
    "schedulingGates": list_map("name"),
    "topologySpreadConstraints": list_map("topologyKey", "whenUnsatisfiable"),
    "volumeDevices": list_map("devicePath"),
    "volumeMounts": list_map("mountPath"),
    "volumes": list_map("name"),
    "bindMountOptions": LIST_SET,
}
"""By the field's name, which means the same wherever it occurs. All other lists are atomic, the default.

The API server takes duplicates in a Pod's env, ports, hostAliases and imagePullSecrets, which are lists-maps
there, and refuses them in a CRD's: here they are atomic, or a Deployment's template could not be taken as it
is.
"""

_SETS = {("V1ContainerRestartRuleOnExitCodes", "values")}

_ATOMIC = {
    "V1ConfigMapKeySelector",
    "V1EvictionResponder",
    "V1FileKeySelector",
    "V1LabelSelector",
    "V1LocalObjectReference",
    "V1NodeSelector",
    "V1NodeSelectorTerm",
    "V1ObjectFieldSelector",
    "V1ResourceFieldSelector",
    "V1SecretKeySelector",
    "V1TypedLocalObjectReference",
}

_ATOMIC_MAPS = {("V1PodSpec", "nodeSelector")}

_LIKE = {"V1EphemeralContainer": "V1Container"}
"""Has the lists of the other, with the same bounds."""

_STRING_MAP = {"type": "object", "maxProperties": LABELS, "additionalProperties": {"type": "string"}}
_EMBEDDED_METADATA = {
    "type": "object",
    "properties": {"annotations": _STRING_MAP, "labels": _STRING_MAP},
}
"""Metadata that a template can give to its objects."""


def _of_a_pod(name: str) -> JsonSchemaValue:
    """The operator goes by labels and annotations of its own to tell whose a Pod is and what it runs.

    The rule stands here and not with the spec, so that an object from before it can still be scaled.
    """
    rule = Validation(
        f"self.all(key, !key.startsWith('{GROUP}/'))",
        f"{name} of {GROUP} are the operator's own: take out those that begin with {GROUP}/",
    )
    return {**_STRING_MAP, "x-kubernetes-validations": [rule.manifest()]}


_POD_METADATA = {
    "type": "object",
    "properties": {name: _of_a_pod(name) for name in ("annotations", "labels")},
}


@cache
def kubernetes_schema(name: str) -> JsonSchemaValue:
    """The structural schema of the client's model `name`, without descriptions: they would fill 250 KB."""
    model: type[BaseModel] = getattr(kubernetes.client, name)
    schema = model.model_json_schema(by_alias=True, mode="serialization")
    definitions = {**schema.pop("$defs", {}), name: schema, "V1ObjectMeta": _EMBEDDED_METADATA}
    for type_name, definition in definitions.items():
        _amend(type_name, definition)
    return structural({"$ref": name}, definitions, kubernetes_schema)


def _amend(type_name: str, definition: dict[str, Any]) -> None:
    definition.pop("description", None)
    if type_name in _ATOMIC:
        definition["x-kubernetes-map-type"] = "atomic"
    properties = definition["properties"]
    for field, schema in properties.items():
        at = (type_name, field)
        schema.pop("description", None)
        schema.update(_LISTS.get(field, {}))
        if bound := KUBERNETES_LISTS.get((_LIKE.get(type_name, type_name), field)):
            schema["maxItems"] = bound
        if at in _QUANTITIES:
            properties[field] = QUANTITY_SCHEMA
        elif at == ("V1PodTemplateSpec", "metadata"):
            properties[field] = _POD_METADATA
        elif at in _MAPS_OF_QUANTITIES:
            properties[field] = {"type": "object", "additionalProperties": QUANTITY_SCHEMA}
        elif at in _ATOMIC_MAPS:
            schema["x-kubernetes-map-type"] = "atomic"
        elif at in _SETS:
            schema.update(LIST_SET)
