"""The key of an object: the kind, namespace and name that the work queue and the caches share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from podpatterns.api import API_VERSION, GROUP, KINDS

BY_NAME = {kind.kind: kind for kind in KINDS}

NamespacedName = tuple[str, str]
"""Namespace and name of an object of a kind that is not ours."""


class Key(NamedTuple):
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"

    @property
    def path(self) -> str:
        """Path of the object in the API."""
        return f"/apis/{API_VERSION}/namespaces/{self.namespace}/{BY_NAME[self.kind].plural}/{self.name}"


def pod_path(namespace: str, name: str) -> str:
    """Return the path of a Pod in the API."""
    return f"{pods_path(namespace)}/{name}"


def pods_path(namespace: str) -> str:
    """Return the path of all Pods of a namespace, where one is created too."""
    return f"/api/v1/namespaces/{namespace}/pods"


def controller_of(obj: Mapping[str, Any]) -> tuple[Key, str] | None:
    """Return the object of ours that controls a Pod, and its UID; None if nothing or something else does."""
    metadata = obj["metadata"]
    for owner in metadata.get("ownerReferences") or ():
        if owner.get("controller"):
            if owner["kind"] in BY_NAME and owner["apiVersion"].startswith(f"{GROUP}/"):
                return Key(owner["kind"], metadata["namespace"], owner["name"]), owner["uid"]
            return None
    return None


def owned_by(obj: Mapping[str, Any], uid: str) -> bool:
    """Return whether the object with that UID controls `obj`."""
    owners = obj["metadata"].get("ownerReferences") or ()
    return any(owner.get("controller") and owner["uid"] == uid for owner in owners)
