"""The API metrics.k8s.io, in place of metrics-server: every container uses as much as a test says."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import trustme

from testbed.cluster.kubectl import Kubectl
from testbed.eventually import eventually
from testbed.ports import free_port

GROUP_VERSION = "metrics.k8s.io/v1beta1"
NAME = "v1beta1.metrics.k8s.io"
RESOURCE = {
    "name": "pods",
    "singularName": "",
    "namespaced": True,
    "kind": "PodMetrics",
    "verbs": ["get", "list"],
}


@contextmanager
def metrics_api(kubectl: Kubectl, **usage: str) -> Iterator[None]:
    """Inside, the cluster has metrics of the Pods in the namespace of `kubectl`, such as cpu="100m"."""
    server = ThreadingHTTPServer(("127.0.0.1", free_port()), _handler(kubectl, usage))
    server.socket = _tls(server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        kubectl.apply(*_registration(server.server_port, kubectl.namespace))
        eventually(lambda: _available(kubectl), 60, until=bool)
        yield
    finally:
        # One that is registered and doesn't answer is in the way of every namespace that is deleted.
        kubectl("delete", "apiservice", NAME)
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(kubectl: Kubectl, usage: dict[str, str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            if url.path.endswith("/pods"):
                [selector] = parse_qs(url.query).get("labelSelector", [""])
                answer = _metrics(kubectl.get("pods", f"--selector={selector}")["items"], usage)
            else:
                answer = {
                    "apiVersion": "v1",
                    "kind": "APIResourceList",
                    "groupVersion": GROUP_VERSION,
                    "resources": [RESOURCE],
                }
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _metrics(pods: list[dict[str, Any]], usage: dict[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": GROUP_VERSION,
        "kind": "PodMetricsList",
        "items": [
            {
                "metadata": {name: pod["metadata"][name] for name in ("name", "namespace", "labels")},
                "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "window": "1s",
                "containers": [{"name": name, "usage": usage} for name in _running(pod["spec"])],
            }
            for pod in pods
        ],
    }


def _running(spec: dict[str, Any]) -> list[str]:
    sidecars = [c for c in spec.get("initContainers", ()) if c.get("restartPolicy") == "Always"]
    return [container["name"] for container in (*spec["containers"], *sidecars)]


def _registration(port: int, namespace: str) -> list[dict[str, Any]]:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "metrics"},
        "spec": {"type": "ExternalName", "externalName": "localhost"},
    }
    group, version = GROUP_VERSION.split("/")
    spec = {
        "group": group,
        "version": version,
        "groupPriorityMinimum": 100,
        "versionPriority": 100,
        "insecureSkipTLSVerify": True,
        "service": {"name": "metrics", "namespace": namespace, "port": port},
    }
    api_version = "apiregistration.k8s.io/v1"
    return [
        service,
        {"apiVersion": api_version, "kind": "APIService", "metadata": {"name": NAME}, "spec": spec},
    ]


def _available(kubectl: Kubectl) -> bool:
    conditions = kubectl.get("apiservice", NAME).get("status", {}).get("conditions", ())
    return any((c["type"], c["status"]) == ("Available", "True") for c in conditions)


def _tls(server: ThreadingHTTPServer) -> ssl.SSLSocket:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    return context.wrap_socket(server.socket, server_side=True)
