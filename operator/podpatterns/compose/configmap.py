"""The ConfigMap manifest: the helpers' configuration files, owned by the object whose Pods mount it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from podpatterns.api import Pattern
from podpatterns.compose.labels import selector
from podpatterns.compose.owner import owner_reference
from podpatterns.compose.part import config_map_name


def config_map_manifest(app: Pattern, data: Mapping[str, str]) -> dict[str, Any]:
    """Return the ConfigMap to create."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": config_map_name(app),
            "namespace": app.metadata.namespace,
            "labels": selector(app.kind, app.metadata.name),
            "ownerReferences": [owner_reference(app)],
        },
        "data": dict(data),
    }
