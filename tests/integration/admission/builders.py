"""Objects whose Pods Pod Security has nothing against, as the ground of escalations."""

from __future__ import annotations

from typing import Any

from testbed.manifests import container, manifest

Object = dict[str, Any]

SECURITY: Object = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""What Pod Security's level restricted asks of a container."""
SECRET = {"name": "database", "key": "password"}


def harmless(name: str = "web", **fields: Any) -> Object:
    """Return a container that Pod Security has nothing against."""
    security = {**SECURITY, **fields.pop("securityContext", {})}
    return {**container(name), "securityContext": security, **fields}


def app(kind: str = "SidecarApp", pod: Object | None = None, **spec: Any) -> Object:
    """Return an application of the kind; `pod` are fields of its template's spec."""
    template = {"spec": {"containers": [harmless()], **(pod or {})}}
    return manifest(kind, "tried", {**OWN[kind], "template": template, **spec})


def part(kind: str = "SidecarApp", **spec: Any) -> Object:
    return manifest(kind, "tried", {**OWN[kind], **spec})


def user_of(kind: str) -> Object:
    return manifest(
        "SidecarApp",
        "user",
        {"template": {"spec": {"containers": [harmless()]}}, "include": [{"kind": kind, "name": "tried"}]},
    )


def upstream(**fields: Any) -> Object:
    return {"name": "db", "protocol": "tcp", "listen": {"port": 5432}, "endpoints": ["db:5432"], **fields}


OWN: dict[str, Object] = {
    "SidecarApp": {},
    "Ambassador": {"upstreams": [upstream()]},
    "Adapter": {"sources": [{"name": "stats", "type": "json", "json": {"url": "http://127.0.0.1/"}}]},
}
