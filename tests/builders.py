"""Objects and Pods for tests, with only what the test is about spelled out."""

from __future__ import annotations

from typing import Any

from podpatterns.api import SidecarApp, parse
from podpatterns.replicas import Pod, Wanted

REVISION = "new"
NOW = 1_000_000.0


def sidecarapp(name: str = "site", *, uid: str = "uid-of-site", **spec: Any) -> SidecarApp:
    """A SidecarApp as the API server would send it; `spec` in the words of its manifest."""
    app = parse(
        {
            "apiVersion": "podpatterns.dev/v1alpha1",
            "kind": "SidecarApp",
            "metadata": {"name": name, "namespace": "default", "uid": uid, "generation": 1},
            "spec": spec,
        }
    )
    assert isinstance(app, SidecarApp)
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
