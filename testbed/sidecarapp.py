"""SidecarApps for scenarios, with only what the scenario is about spelled out."""

from __future__ import annotations

from typing import Any

from testbed.cluster.images import BOX

# Lasts until it's asked to end, and then ends at once.
WAIT = "trap exit TERM; sleep infinity & wait"


def sidecarapp(
    name: str, *containers: dict[str, Any], pod: dict[str, Any] | None = None, **spec: Any
) -> dict[str, Any]:
    """A SidecarApp of these containers. `pod` are fields of the Pod's spec, `spec` of the SidecarApp's."""
    template = {"spec": {"containers": list(containers), **(pod or {})}}
    return {
        "apiVersion": "podpatterns.dev/v1alpha1",
        "kind": "SidecarApp",
        "metadata": {"name": name},
        "spec": {"template": template, **spec},
    }


def container(name: str, script: str = WAIT, **fields: Any) -> dict[str, Any]:
    """A container, or with `order` a sidecar, that runs a shell script."""
    return {"name": name, "image": BOX, "command": ["sh", "-c", script], **fields}
