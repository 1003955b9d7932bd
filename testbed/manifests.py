"""Manifests of our kinds, as dictionaries."""

from __future__ import annotations

from typing import Any

from testbed.cluster.images import BOX

API_VERSION = "podpatterns.dev/v1alpha1"

# Lasts until it's asked to end, and then ends at once.
WAIT = "trap exit TERM; sleep infinity & wait"


def manifest(kind: str, name: str, spec: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    """Return an object of one of our kinds."""
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": name, **metadata},
        "spec": spec,
    }


def sidecarapp(
    name: str, *containers: dict[str, Any], pod: dict[str, Any] | None = None, **spec: Any
) -> dict[str, Any]:
    """Return a SidecarApp of these containers; `pod` are fields of the Pod's spec, `spec` of its own."""
    template = {"spec": {"containers": list(containers), **(pod or {})}}
    return manifest("SidecarApp", name, {"template": template, **spec})


def container(name: str, script: str = WAIT, **fields: Any) -> dict[str, Any]:
    """Return a container, or with `order` a sidecar, that runs a shell script."""
    return {"name": name, "image": BOX, "command": ["sh", "-c", script], **fields}
