"""Objects and Pods for tests, with only what the test is about spelled out."""

from __future__ import annotations

from typing import Any

from podpatterns.api import Adapter, Ambassador, Pattern, SidecarApp, parse
from podpatterns.replicas import Pod, Wanted
from testbed.manifests import manifest

REVISION = "new"
NOW = 1_000_000.0


def pattern(kind: str, name: str, spec: dict[str, Any], uid: str | None = None) -> Pattern:
    """An object as the API server would send it; `spec` in the words of its manifest."""
    meta = {"namespace": "default", "uid": uid or f"uid-of-{name}", "generation": 1}
    return parse(manifest(kind, name, spec, **meta))


def sidecarapp(name: str = "site", *, uid: str | None = None, **spec: Any) -> SidecarApp:
    app = pattern("SidecarApp", name, spec, uid)
    assert isinstance(app, SidecarApp)
    return app


def ambassador(name: str = "shop", **spec: Any) -> Ambassador:
    """One for a Redis, unless `spec` says otherwise."""
    app = pattern("Ambassador", name, {"upstreams": [redis_upstream()], **spec})
    assert isinstance(app, Ambassador)
    return app


def redis_upstream(name: str = "cache", port: int = 6379, **redis: Any) -> dict[str, Any]:
    redis = {"endpoints": ["redis-0.redis:6379", "redis-1.redis:6379"], **redis}
    return {"name": name, "protocol": "redis", "listen": {"port": port}, "redis": redis}


def adapter(name: str = "legacy", **spec: Any) -> Adapter:
    """One for a page of JSON, unless `spec` says otherwise."""
    sources = [{"name": "stats", "type": "json", "json": {"url": "http://127.0.0.1:8801/stats"}}]
    rules = [{"source": "stats", "path": "http.hits", "metric": "app_x_total"}]
    contract = {"name": "custom", "metrics": [{"name": "app_x_total", "type": "counter"}]}
    app = pattern("Adapter", name, {"sources": sources, "rules": rules, "contract": contract, **spec})
    assert isinstance(app, Adapter)
    return app


def template(*containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """A Pod template; without containers, one named web."""
    return {"spec": {"containers": list(containers) or [{"name": "web", "image": "nginx"}], **spec}}


def wanted(replicas: int = 3, **fields: Any) -> Wanted:
    return Wanted(name="site", replicas=replicas, revision=REVISION, **fields)


def pod(name: str, **fields: Any) -> Pod:
    """A Pod of the newest revision that runs and has been ready for long."""
    defaults: dict[str, Any] = {
        "uid": f"uid-of-{name}",
        "revision": REVISION,
        "created": NOW - 1000,
        "phase": "Running",
        "node": "node-1",
        "ready_since": NOW - 900,
    }
    return Pod(name, **{**defaults, **fields})


def old(name: str, **fields: Any) -> Pod:
    return pod(name, revision="old", **fields)


def unready(name: str, **fields: Any) -> Pod:
    return pod(name, ready_since=None, **fields)


def terminating(name: str, **fields: Any) -> Pod:
    return pod(name, terminating=True, **fields)


def failed(name: str, **fields: Any) -> Pod:
    return pod(name, phase="Failed", ready_since=None, **fields)
