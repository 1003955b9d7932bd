"""The API server as the people of a scenario speak to it, past all faults."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

from testbed.eventually import eventually

if TYPE_CHECKING:
    from testbed.cluster.control_plane import ControlPlane

TIMEOUT = 30
MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"
VOLUMES = "/api/v1/persistentvolumes"
PATHS = {
    "Pod": "/api/v1/namespaces/{namespace}/pods",
    "ResourceQuota": "/api/v1/namespaces/{namespace}/resourcequotas",
    "ControllerRevision": "/apis/apps/v1/namespaces/{namespace}/controllerrevisions",
    "SidecarApp": "/apis/podpatterns.dev/v1alpha1/namespaces/{namespace}/sidecarapps",
}


class Api:
    """Requests in one namespace."""

    def __init__(self, control_plane: ControlPlane, namespace: str) -> None:
        self._url, self._tls = control_plane.url, control_plane.tls
        self._namespace = namespace
        self._core = f"/api/v1/namespaces/{namespace}"
        self._sites = f"/apis/podpatterns.dev/v1alpha1/namespaces/{namespace}/sidecarapps"

    def create_namespace(self) -> None:
        """Returns when Pods can run there."""
        manifest = {"metadata": {"name": self._namespace}}
        self._request("POST", "/api/v1/namespaces", manifest, "application/json")
        eventually(lambda: self._request("GET", f"{self._core}/serviceaccounts/default"))

    def delete_namespace(self) -> None:
        self._request("DELETE", f"/api/v1/namespaces/{self._namespace}")

    def create_volumes(self, storage_class: str, number: int) -> None:
        """Volumes that nobody has provisioned, which the controller manager binds to claims of any namespace.

        One is bound once: it stays with its claim, and is released when that goes.
        """
        for _ in range(number):
            spec = {
                "storageClassName": storage_class,
                "capacity": {"storage": "1Gi"},
                "accessModes": ["ReadWriteOnce"],
                "persistentVolumeReclaimPolicy": "Retain",
                "hostPath": {"path": "/nowhere"},
            }
            meta = {"generateName": "chaos-", "labels": {"test.example/namespace": self._namespace}}
            self._request("POST", VOLUMES, {"metadata": meta, "spec": spec}, "application/json")

    def delete_volumes(self) -> None:
        self._request("DELETE", f"{VOLUMES}?labelSelector=test.example/namespace={self._namespace}")

    def pods(self) -> list[dict[str, Any]]:
        found = self._request("GET", f"{self._core}/pods") or {"items": []}
        return sorted(found["items"], key=lambda pod: str(pod["metadata"]["name"]))

    def delete_pod(self, name: str) -> None:
        self._request("DELETE", f"{self._core}/pods/{name}")

    def patch_pod(self, name: str, patch: dict[str, Any], subresource: str = "") -> None:
        self._request("PATCH", f"{self._core}/pods/{name}{subresource}", patch, MERGE)

    def site(self, name: str) -> dict[str, Any] | None:
        return self._request("GET", f"{self._sites}/{name}")

    def apply(self, manifest: dict[str, Any]) -> None:
        path = f"{self._sites}/{manifest['metadata']['name']}?fieldManager=chaos&force=true"
        self._request("PATCH", path, manifest, APPLY)

    def delete_site(self, name: str, *, orphan: bool = False) -> None:
        policy = "Orphan" if orphan else "Background"
        self._request("DELETE", f"{self._sites}/{name}?propagationPolicy={policy}")

    def create(self, manifest: dict[str, Any]) -> None:
        """Any object of a kind that `PATHS` has, unless there is one by its name."""
        self._request("POST", self._path(manifest["kind"]), manifest, "application/json")

    def delete(self, kind: str, name: str) -> None:
        self._request("DELETE", f"{self._path(kind)}/{name}")

    def objects(self, kind: str) -> list[dict[str, Any]]:
        found = self._request("GET", self._path(kind)) or {"items": []}
        return list(found["items"])

    def _path(self, kind: str) -> str:
        return PATHS[kind].format(namespace=self._namespace)

    def version(self) -> int:
        """The newest resourceVersion, which is etcd's revision."""
        found = self._request("GET", f"{self._core}/pods")
        assert found
        return int(found["metadata"]["resourceVersion"])

    def _request(
        self, method: str, path: str, body: dict[str, Any] | None = None, content_type: str = MERGE
    ) -> dict[str, Any] | None:
        """The answer; None where there is no such object."""
        request = urllib.request.Request(  # noqa: S310 (the control plane's own URL)
            self._url + path,
            data=json.dumps(body).encode() if body else None,
            method=method,
            headers={"Content-Type": content_type},
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT, context=self._tls) as answer:  # noqa: S310
                found: dict[str, Any] = json.load(answer)
                return found
        except urllib.error.HTTPError as error:
            with error:
                if error.code in (404, 409):
                    return None  # somebody was quicker
                raise RuntimeError(f"{method} {path}: {error.code} {error.read().decode()}") from error
