"""Requests as the API server sees them: who asks, and what it keeps of a revision."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration

from podpatterns.cli.cluster import Cluster
from podpatterns.controller.apiserver import ApiServer
from testbed.cluster.control_plane import ControlPlane
from testbed.cluster.kubectl import Kubectl
from testbed.eventually import eventually
from tests.integration.controller.sites import Sites, sidecarapp

OPERATOR, CLI = "podpatterns-operator", "podpatterns-cli"
CHARACTERS = "".join(chr(n) for n in range(0x11000) if not 0xD800 <= n < 0xE000) + "😀\U0010ffff"


@pytest.fixture
async def api(control_plane: ControlPlane) -> AsyncIterator[ApiServer]:
    """As an administrator."""
    configuration = Configuration()
    await config.load_kube_config(str(control_plane.kubeconfig), client_configuration=configuration)
    async with ApiClient(configuration) as client:
        yield ApiServer(client)


async def test_a_revision_may_hold_any_character(api: ApiServer, namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/controllerrevisions"
    lines = [CHARACTERS[n : n + 64] for n in range(0, len(CHARACTERS), 64)]
    data = {"text": CHARACTERS, "lines": lines, **{line[::2]: line[1::2] for line in lines}}
    body = {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {"name": "all"},
        "data": data,
        "revision": 1,
    }
    assert (await api.create_normalized(path, body))["data"] == data
    assert (await api.get(f"{path}/all"))["data"] == data
    # As the garbage collector does: refused (422) unless the data are byte by byte what the server writes.
    patched = await api.strategic_patch(f"{path}/all", {"metadata": {"labels": {"test.example/x": "1"}}})
    assert patched["metadata"]["labels"] == {"test.example/x": "1"}
    assert patched["data"] == data


def test_a_template_may_hold_them_too(sites: Sites, kubectl: Kubectl) -> None:
    value = "\x7f \x80 \x85 \x9f \u2028 \u2029 \ufeff \ufffe \uffff é"
    web = {"name": "web", "image": "web:1", "env": [{"name": "TEXT", "value": value}]}
    template = {"spec": {"containers": [web], "terminationGracePeriodSeconds": 1}}
    # `apply` would send YAML that can't hold them.
    kubectl("create", "--filename=-", stdin=json.dumps(sidecarapp(template=template)))
    sites.wait_until_ready()
    [pod] = sites.pods()
    assert pod["spec"]["containers"][0]["env"][0]["value"] == value
    [revision] = eventually(lambda: kubectl.get("controllerrevisions")["items"])
    assert value in json.dumps(revision["data"], ensure_ascii=False)


def test_objects_and_the_audit_log_tell_who_wrote(
    sites: Sites, kubectl: Kubectl, control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    position = control_plane.audit_end()
    sites.ready()
    monkeypatch.setenv("KUBECONFIG", str(control_plane.kubeconfig))
    annotate = {"op": "add", "path": "/metadata/annotations", "value": {"test.example/x": "1"}}
    Cluster(kubectl.namespace, None).patch("sidecarapps", "site", [annotate])

    assert managers(kubectl, "sidecarapp", "site") == {OPERATOR, CLI, "kubectl"}
    assert OPERATOR in managers(kubectl, "pod", "site-0")
    for kind in ("controllerrevisions", "events.events.k8s.io"):
        names = [item["metadata"]["name"] for item in kubectl.get(kind)["items"]]
        assert {m for name in names for m in managers(kubectl, kind, name)} >= {OPERATOR}
    agents = {
        entry["userAgent"].partition("/")[0]
        for entry in map(json.loads, control_plane.audit(position).splitlines())
        if entry["user"]["username"] == control_plane.operator_user
    }
    assert agents == {OPERATOR}


def managers(kubectl: Kubectl, *which: str) -> set[str]:
    meta: dict[str, Any] = kubectl.get(*which, "--show-managed-fields")["metadata"]
    return {entry["manager"] for entry in meta["managedFields"]}
