"""PersistentVolumeClaims of Stable Pods: manifests, and the volumes that stand for them in a template."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from podpatterns.api import Pattern
from podpatterns.api.volumeclaim import VolumeClaimTemplate
from podpatterns.compose.labels import selector, unreserved
from podpatterns.compose.owner import owner_reference

POD_NAME = "$(POD_NAME)"
"""Stands for the Pod's name in a template, which all Pods of a revision share. No claim can have it."""


def claim_name(template: str, pod: str) -> str:
    """Return the name of a Pod's claim, as StatefulSet makes it."""
    return f"{template}-{pod}"


def claim_volumes(templates: Iterable[VolumeClaimTemplate]) -> Iterator[dict[str, Any]]:
    """Yield the volumes of a Pod template that stand for the claims."""
    for template in templates:
        name = template.metadata.name
        yield {"name": name, "persistentVolumeClaim": {"claimName": claim_name(name, POD_NAME)}}


def claimed(template: Mapping[str, Any]) -> list[str]:
    """Return the names of the claim templates that Pods of a composed template need."""
    return [v["name"] for v in _volumes(template.get("spec")) if _is_claimed(v)]


def with_claims(spec: Mapping[str, Any], pod: str) -> dict[str, Any]:
    """Return the spec of the Pod of that name, with its own claims."""
    if not any(_is_claimed(v) for v in _volumes(spec)):
        return dict(spec)
    volumes = [_bound(v, pod) if _is_claimed(v) else v for v in _volumes(spec)]
    return {**spec, "volumes": volumes}


def claim_manifest(app: Pattern, template: VolumeClaimTemplate, pod: str) -> dict[str, Any]:
    """Return the claim of a Pod that is one of the replicas.

    The operator's labels say that it is its own; a claim that somebody else made has none.
    """
    meta = template.metadata
    metadata: dict[str, Any] = {
        "name": claim_name(meta.name, pod),
        "namespace": app.metadata.namespace,
        "labels": {**unreserved(meta.labels), **selector(app.kind, app.metadata.name)},
    }
    if annotations := unreserved(meta.annotations):
        metadata["annotations"] = annotations
    if app.spec.retention.when_deleted == "Delete":
        metadata["ownerReferences"] = [owner_reference(app)]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata,
        "spec": template.spec,
    }


def _volumes(spec: Any) -> list[Any]:
    volumes = spec.get("volumes") if isinstance(spec, Mapping) else None
    return [v for v in volumes if isinstance(v, Mapping)] if isinstance(volumes, list) else []


def _is_claimed(volume: Mapping[str, Any]) -> bool:
    name, source = volume.get("name"), volume.get("persistentVolumeClaim")
    return isinstance(source, Mapping) and source.get("claimName") == claim_name(str(name), POD_NAME)


def _bound(volume: Mapping[str, Any], pod: str) -> dict[str, Any]:
    name = claim_name(volume["name"], pod)
    return {**volume, "persistentVolumeClaim": {**volume["persistentVolumeClaim"], "claimName": name}}
