"""The CustomResourceDefinition of a kind."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import JsonSchemaValue

from podpatterns.api.crd.kubernetes import kubernetes_schema
from podpatterns.api.crd.structural import structural
from podpatterns.api.kinds import MODELS
from podpatterns.api.names import GROUP, KINDS, VERSION, Kind
from podpatterns.api.pattern import MAX_NAME_LENGTH

CATEGORY = "patterns"

COLUMNS: tuple[dict[str, Any], ...] = (
    {"name": "Ready", "type": "string", "jsonPath": ".status.readyPods"},
    {"name": "Up-to-date", "type": "integer", "jsonPath": ".status.updatedReplicas"},
    {"name": "Available", "type": "integer", "jsonPath": ".status.availableReplicas"},
    {"name": "Reason", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].reason'},
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    {"name": "Succeeded", "type": "integer", "jsonPath": ".status.succeeded", "priority": 1},
    {"name": "Failed", "type": "integer", "jsonPath": ".status.failed", "priority": 1},
    {"name": "Revision", "type": "string", "jsonPath": ".status.updateRevision", "priority": 1},
    {"name": "Replacements", "type": "integer", "jsonPath": ".status.replacements", "priority": 1},
)
"""Columns of `kubectl get`: Deployment's, and the reason of Ready. Those of priority 1: `-o wide` only."""


def definitions() -> dict[str, dict[str, Any]]:
    """The CustomResourceDefinitions, by the name of the file that each belongs in."""
    return {f"{GROUP}_{kind.plural}.yaml": definition(kind) for kind in KINDS}


def definition(kind: Kind) -> dict[str, Any]:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": kind.kind,
                "listKind": f"{kind.kind}List",
                "plural": kind.plural,
                "singular": kind.singular,
                "shortNames": [kind.short_name],
                "categories": [CATEGORY],
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": object_schema(kind)},
                    "subresources": {
                        "status": {},
                        "scale": {
                            "specReplicasPath": ".spec.replicas",
                            "statusReplicasPath": ".status.replicas",
                            "labelSelectorPath": ".status.selector",
                        },
                    },
                    "additionalPrinterColumns": [dict(column) for column in COLUMNS],
                }
            ],
        },
    }


def object_schema(kind: Kind) -> JsonSchemaValue:
    """The schema of a whole object: our fields, and in them those of Kubernetes."""
    schema = MODELS[kind.kind].model_json_schema(by_alias=True)
    result = structural(schema, schema.pop("$defs"), kubernetes_schema)
    result["required"] = ["spec"]
    # The API server has its own rules for these three; of metadata only the name may be restricted further.
    result["properties"] |= {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {
            "type": "object",
            "properties": {"name": {"type": "string", "maxLength": MAX_NAME_LENGTH}},
        },
    }
    return result
