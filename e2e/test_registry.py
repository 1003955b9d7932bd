"""A registry of one's own that wants a password: the operator's image and a helper's come from it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from release.registry import push
from testbed import release
from testbed.cluster.command import feed, run
from testbed.cluster.images import BOX, HAPROXY_AMBASSADOR, OPERATOR, REGISTRY
from testbed.manifests import WAIT, manifest
from testbed.release import NAMESPACE

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.cluster.kind import Cluster
    from testbed.cluster.kubectl import Kubectl

USER, PASSWORD = "puller", "open-sesame"
PORT = 5000
SERVER = f"localhost:{PORT}"
SECRET = "private-registry"  # noqa: S105 (a name)


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("operator")
def test_all_images_come_from_a_private_registry(
    cluster: Cluster, kubectl: Kubectl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_registry(kubectl)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with cluster.port_forward("pod/registry", PORT, f"--namespace={kubectl.namespace}") as port:
        registry = f"127.0.0.1:{port}"
        run("docker", "login", f"--username={USER}", f"--password={PASSWORD}", registry)
        tags = [private(tag, kubectl.namespace) for tag in (OPERATOR, HAPROXY_AMBASSADOR)]
        pushed = push(f"{registry}/{kubectl.namespace}", tags)
    run("docker", "image", "rm", *pushed, *tags)
    for namespace in (NAMESPACE, kubectl.namespace):
        create_secret(kubectl, namespace)

    repository = f"{SERVER}/{kubectl.namespace}/private"
    release.install(f"image.repository={repository}/operator", f"imagePullSecrets[0].name={SECRET}")
    try:
        kubectl.apply(ambassador())
        kubectl("wait", "--for=condition=Ready", "ambassador/shop", "--timeout=60s")
        [proxy] = kubectl.get("pod/shop-0")["spec"]["initContainers"]
        assert proxy["image"] == HAPROXY_AMBASSADOR.replace("podpatterns", repository)
    finally:
        release.install()
        kubectl("delete", f"secret/{SECRET}", f"--namespace={NAMESPACE}")


def private(tag: str, namespace: str) -> str:
    """Make another image of it, and return its tag.

    The kubelet goes by content, not by names: it lets nobody without the password use what it pulled by one.
    """
    name = tag.replace("podpatterns/", "private/")
    dockerfile = f"FROM {tag}\nLABEL namespace={namespace}\n"
    command = ["docker", "build", f"--tag={name}", "-"]
    feed(command, lambda stream: stream.write(dockerfile.encode()), {"DOCKER_BUILDKIT": "0"})
    return name


def start_registry(kubectl: Kubectl) -> None:
    """To the node, a registry on localhost needs no TLS: it shares the node's network."""
    container = {
        "name": "registry",
        "image": REGISTRY,
        "readinessProbe": {"tcpSocket": {"host": "127.0.0.1", "port": PORT}, "periodSeconds": 1},
    }
    spec = {"hostNetwork": True, "containers": [container], "terminationGracePeriodSeconds": 0}
    kubectl.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "registry"}, "spec": spec})
    kubectl("wait", "pod/registry", "--for=condition=Ready", "--timeout=60s")


def create_secret(kubectl: Kubectl, namespace: str) -> None:
    login = {SERVER: {"username": USER, "password": PASSWORD}}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/dockerconfigjson",
        "metadata": {"name": SECRET, "namespace": namespace},
        "stringData": {".dockerconfigjson": json.dumps({"auths": login})},
    }
    kubectl("apply", f"--namespace={namespace}", "--filename=-", stdin=json.dumps(secret))


def ambassador() -> dict[str, object]:
    app = {"name": "app", "image": BOX, "command": ["sh", "-c", WAIT]}
    endpoints = ["kubernetes.default.svc.cluster.local:443"]
    upstream = {"name": "api", "protocol": "tcp", "listen": {"port": 8081}, "endpoints": endpoints}
    spec = {
        "template": {"spec": {"containers": [app], "imagePullSecrets": [{"name": SECRET}]}},
        "upstreams": [upstream],
    }
    return manifest("Ambassador", "shop", spec)
