"""The fields of our kinds that Kustomize's transformers change.

https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/configurations/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from podpatterns.api.kustomize.fields import Field, fields
from podpatterns.api.names import GROUP, KINDS, Kind

_BY_NAME: Mapping[str, str] = {
    "serviceAccountName": "ServiceAccount",
    "serviceAccount": "ServiceAccount",
    "claimName": "PersistentVolumeClaim",
    "priorityClassName": "PriorityClass",
}
"""Fields that hold the name of an object; those of ConfigMaps and Secrets have these words in theirs."""

_FILES = {"secretFile"}
"""Fields with a path, not a name."""

_GROUPS: Mapping[str, str] = {"PriorityClass": "scheduling.k8s.io"}

_KNOWN_IMAGES = {
    "spec/initContainers[]/image",
    "spec/template/spec/containers[]/image",
    "spec/template/spec/initContainers[]/image",
}
"""Images that Kustomize sets in objects of any kind; it refuses a configuration that repeats them."""

Configuration = dict[str, list[dict[str, Any]]]


def configuration() -> Configuration:
    """Return the transformer configuration for all kinds."""
    return {
        "images": [{"path": path, "kind": kind.kind} for kind in KINDS for path in _images(kind)],
        "replicas": [{"path": "spec/replicas", "create": True, "kind": kind.kind} for kind in KINDS],
        # Without `create`: a template that came into being would make an application of a part.
        **{
            transformer: [{"path": f"spec/template/metadata/{field}", "kind": kind.kind} for kind in KINDS]
            for transformer, field in (
                ("commonLabels", "labels"),
                ("templateLabels", "labels"),
                ("commonAnnotations", "annotations"),
            )
        },
        "nameReference": _references(),
    }


def _images(kind: Kind) -> Iterator[str]:
    containers = (field for field in fields(kind) if {"image", "command"} <= field.properties.keys())
    return (path for field in containers if (path := f"{field.path}/image") not in _KNOWN_IMAGES)


def _references() -> list[dict[str, Any]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for kind in KINDS:
        for field in fields(kind):
            for referent, path in _referents(field):
                # A name reference goes through lists by itself.
                found.setdefault(referent, []).append({"path": path.replace("[]", ""), "kind": kind.kind})
    for kind in KINDS:
        found[kind.kind].append({"path": "spec/scaleTargetRef/name", "kind": "HorizontalPodAutoscaler"})
    return [
        {"kind": referent, **({"group": group} if (group := _group(referent)) else {}), "fieldSpecs": specs}
        for referent, specs in found.items()
    ]


def _group(kind: str) -> str | None:
    return GROUP if kind in {known.kind for known in KINDS} else _GROUPS.get(kind)


def _referents(field: Field) -> Iterator[tuple[str, str]]:
    """Yield the kinds of objects whose name a field holds, each with the path of the name."""
    if field.path == "spec/include[]":
        yield from ((kind.kind, f"{field.path}/name") for kind in KINDS)
        return
    if field.name in _FILES:
        return
    referent = _BY_NAME.get(field.name) or _by_word(field.name)
    if referent and field.schema.get("type") == "string":
        yield referent, field.path
    elif referent and "name" in field.properties:
        yield referent, f"{field.path}/name"


def _by_word(name: str) -> str | None:
    word = name.lower()
    return "ConfigMap" if "configmap" in word else "Secret" if "secret" in word else None
