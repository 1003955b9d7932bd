"""The owner reference by which an object of ours controls what the operator makes for it."""

from __future__ import annotations

from typing import Any

from podpatterns.api import Pattern


def owner_reference(app: Pattern) -> dict[str, Any]:
    """Return the reference that makes `app` the controller of an object."""
    return {
        "apiVersion": app.api_version,
        "kind": app.kind,
        "name": app.metadata.name,
        "uid": app.metadata.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
