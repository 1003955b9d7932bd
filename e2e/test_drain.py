"""An application is updated in place behind its Service, and no request fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from e2e import requests_client
from testbed.cluster.images import NGINX, OPERATOR
from testbed.eventually import eventually
from testbed.manifests import sidecarapp
from testbed.pod import pod, uid

if TYPE_CHECKING:
    from testbed.cluster.kubectl import Kubectl

pytestmark = pytest.mark.usefixtures("operator")

PORT, ENOUGH, REPLICAS = 8080, 10_000, 2
LABELS = {"app": "shop"}
NAMES = [f"site-{index}" for index in range(REPLICAS)]
TERMINATE = "import os, signal; os.kill(1, signal.SIGTERM)"


def site(image: str, **in_place: Any) -> dict[str, Any]:
    probe = {"httpGet": {"path": "/", "port": PORT}, "periodSeconds": 1}
    web = {"name": "web", "image": image, "readinessProbe": probe}
    strategy = {"maxUnavailable": 1, "inPlace": {"containers": "All", **in_place}}
    found = sidecarapp("site", web, replicas=REPLICAS, updateStrategy=strategy)
    found["spec"]["template"]["metadata"] = {"labels": LABELS}
    return found


def apply_and_wait(kubectl: Kubectl, manifest: dict[str, Any]) -> dict[str, str]:
    """Applies it, and gives the UIDs of its Pods once all are of the newest revision and available."""
    kubectl.apply(manifest)
    eventually(lambda: kubectl.get("sidecarapp", "site"), 120, until=_complete)
    return {name: uid(pod(kubectl, name)) for name in NAMES}


def test_no_request_through_a_service_fails_while_the_application_is_updated_in_place(
    kubectl: Kubectl,
) -> None:
    spec = {"selector": LABELS, "ports": [{"port": 80, "targetPort": PORT}]}
    kubectl.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "shop"}, "spec": spec})
    before = apply_and_wait(kubectl, site(f"docker.io/{NGINX}", drainSeconds=3))
    start_client(kubectl)

    after = apply_and_wait(kubectl, site(NGINX, drainSeconds=3))  # another name of the very same image

    eventually(lambda: kubectl("logs", "client"), 240, until=lambda log: "enough" in log)
    kubectl("exec", "client", "--", "python3", "-c", TERMINATE)
    kubectl("wait", "pod/client", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=30s")
    result = json.loads(kubectl("logs", "client").splitlines()[-1])
    print(f"requests while the application was updated in place: {result}")
    assert after == before
    restarts = [pod(kubectl, name)["status"]["containerStatuses"][0]["restartCount"] for name in NAMES]
    assert restarts == [1] * REPLICAS
    assert result["sent"] >= ENOUGH
    assert result["failures"] == {}


def start_client(kubectl: Kubectl) -> None:
    program = {"client.py": Path(requests_client.__file__).read_text()}
    kubectl.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "client"}, "data": program})
    container = {
        "name": "client",
        "image": OPERATOR,
        "command": ["python3", "/client/client.py", "shop", "80", str(ENOUGH)],
        "volumeMounts": [{"name": "client", "mountPath": "/client"}],
    }
    volume = {"name": "client", "configMap": {"name": "client"}}
    spec = {"restartPolicy": "Never", "containers": [container], "volumes": [volume]}
    kubectl.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "client"}, "spec": spec})
    kubectl("wait", "pod/client", "--for=condition=Ready", "--timeout=60s")


def _complete(site: dict[str, Any]) -> bool:
    status, meta = site.get("status", {}), site["metadata"]
    conditions = {c["type"]: c for c in status.get("conditions", ())}
    observed: bool = status.get("observedGeneration") == meta["generation"]
    return observed and conditions["Progressing"]["reason"] == "RevisionComplete"
