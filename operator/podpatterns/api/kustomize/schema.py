"""The OpenAPI schema by which Kustomize merges a patch into lists of our kinds, item by item.

Kustomize takes it in place of its own schema. So it also has the kinds of Kubernetes whose lists people
patch: those that hold a Pod template, and Service. Of all kinds it has nothing but lists with merge keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from podpatterns.api.crd.definition import object_schema
from podpatterns.api.crd.kubernetes import kubernetes_schema
from podpatterns.api.names import GROUP, KINDS, VERSION

_MERGE_KEYS: Mapping[str, str] = {
    "env": "name",
    "hostAliases": "ip",
    "imagePullSecrets": "name",
    "ports": "containerPort",
}
"""Lists that are atomic in the CRDs, with the keys by which a patch merges them into a Deployment.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
"""

_TEMPLATES: Mapping[tuple[str, str, str], Sequence[str]] = {
    ("apps", "v1", "DaemonSet"): ("spec", "template"),
    ("apps", "v1", "Deployment"): ("spec", "template"),
    ("apps", "v1", "ReplicaSet"): ("spec", "template"),
    ("apps", "v1", "StatefulSet"): ("spec", "template"),
    ("batch", "v1", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
    ("batch", "v1", "Job"): ("spec", "template"),
    ("", "v1", "Pod"): (),
    ("", "v1", "PodTemplate"): ("template",),
    ("", "v1", "ReplicationController"): ("spec", "template"),
}
"""Kinds of Kubernetes with a Pod template, each with the way to it."""

_TEMPLATE = "io.k8s.api.core.v1.PodTemplateSpec"


def schema() -> dict[str, Any]:
    """Return the schema, as an OpenAPI document."""
    template = _mergeable(kubernetes_schema("V1PodTemplateSpec"))
    assert template
    ours = {
        f"dev.podpatterns.{VERSION}.{kind.kind}": _definition(
            _mergeable(object_schema(kind)) or {}, GROUP, VERSION, kind.kind
        )
        for kind in KINDS
    }
    theirs = {
        f"io.k8s.api.{group or 'core'}.{version}.{kind}": _definition(
            _at(way, {"$ref": f"#/definitions/{_TEMPLATE}"}) if way else template, group, version, kind
        )
        for (group, version, kind), way in _TEMPLATES.items()
    }
    ports = {"type": "array", "items": {"type": "object"}, **_merged_by(["port"])}
    service = _definition(_at(("spec", "ports"), ports), "", "v1", "Service")
    return {
        "swagger": "2.0",
        "info": {"title": "podpatterns", "version": VERSION},
        "paths": {},
        "definitions": {**ours, _TEMPLATE: template, **theirs, "io.k8s.api.core.v1.Service": service},
    }


def _definition(of: Mapping[str, Any], group: str, version: str, kind: str) -> dict[str, Any]:
    return {**of, "x-kubernetes-group-version-kind": [{"group": group, "version": version, "kind": kind}]}


def _at(way: Sequence[str], schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object that has `schema` at the end of the way."""
    for name in reversed(way):
        schema = {"type": "object", "properties": {name: schema}}
    return schema


def _mergeable(schema: Mapping[str, Any], name: str = "") -> dict[str, Any] | None:
    """Return what leads to lists with merge keys; None if nothing does."""
    if (items := schema.get("items")) is not None:
        keys = schema.get("x-kubernetes-list-map-keys") or (
            [_MERGE_KEYS[name]] if name in _MERGE_KEYS and "properties" in items else []
        )
        inner = _mergeable(items)
        if not (keys or inner):
            return None
        merged = _merged_by(keys) if keys else {}
        return {"type": "array", "items": inner or {"type": "object"}, **merged}
    properties = {
        field: found
        for field, of in schema.get("properties", {}).items()
        if (found := _mergeable(of, field)) is not None
    }
    return {"type": "object", "properties": properties} if properties else None


def _merged_by(keys: Sequence[str]) -> dict[str, Any]:
    return {
        "x-kubernetes-patch-strategy": "merge",
        "x-kubernetes-patch-merge-key": keys[-1],
        "x-kubernetes-list-map-keys": list(keys),
    }
