"""By managedFields people see who wrote what."""

from __future__ import annotations

import json

from e2e.cluster.kubectl import Kubectl
from e2e.eventually import eventually
from tests.integration.controller.sites import Sites

MANAGER = "podpatterns-operator"


def test_the_operators_writes_carry_its_name(sites: Sites, kubectl: Kubectl) -> None:
    sites.ready(sharedVolumes=[{"name": "content", "mountPath": "/content"}])
    eventually(lambda: kubectl.get("controllerrevisions")["items"])
    managers = {
        (obj["kind"], field["manager"], field.get("subresource", ""))
        for obj in json.loads(
            kubectl("get", "pods,sidecarapps,controllerrevisions", "--show-managed-fields", "--output=json")
        )["items"]
        for field in obj["metadata"]["managedFields"]
    }
    assert {
        ("Pod", MANAGER, ""),
        ("SidecarApp", MANAGER, "status"),
        ("ControllerRevision", MANAGER, ""),
    } <= managers
    assert not [m for m in managers if m[1].lower().startswith("python")]
