"""Pods that somebody changed by hand are told, and left alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from testbed.cluster.kubectl import Kubectl
from testbed.eventually import eventually
from testbed.witness import Barrier, Witness
from tests.integration.controller.sites import Sites, sidecarapp

TOLD = "site-1: container web has the image web:debug, set by kubectl-set"


def test_an_image_set_by_hand_is_told_until_the_pod_is_replaced(
    sites: Sites, kubectl: Kubectl, podpatterns: Any, witness: Witness, tmp_path: Path
) -> None:
    sites.ready(replicas=2)
    uids = sites.uids()
    kubectl("set", "image", "pod/site-1", "web=web:debug")
    found = eventually(lambda: sites.condition("PodsModified"))
    assert (found["status"], found["reason"], found["message"]) == ("True", "ImageModified", TOLD)
    eventually(lambda: sites.condition("Ready"), until=lambda c: c.get("status") == "True")
    assert sites.uids() == uids

    (tmp_path / "site.yaml").write_text(json.dumps(sidecarapp(replicas=2)))
    diff = podpatterns("diff", "-f", str(tmp_path / "site.yaml"))
    expected = f"sidecarapp/site: no Pod changes\nsidecarapp/site: others have changed Pods: {TOLD}\n"
    assert (diff.exit_code, diff.output) == (0, expected)

    barrier = Barrier(Kubectl(kubectl.kubeconfig))
    with witness.idle():
        barrier.wait()

    kubectl("delete", "pod", "site-1")
    sites.replaced(uids, "site-1")
    eventually(sites.get, until=lambda site: "PodsModified" not in json.dumps(site["status"]))


def test_an_update_in_place_sets_the_image_again(sites: Sites, kubectl: Kubectl) -> None:
    sites.ready()
    uids = sites.uids()
    kubectl("set", "image", "pod/site-0", "helper=helper:2")
    eventually(lambda: sites.condition("PodsModified"))
    sites.ready(sidecars=[{"name": "helper", "image": "helper:2"}])
    eventually(sites.get, until=lambda site: "PodsModified" not in json.dumps(site["status"]))
    kubectl("set", "image", "pod/site-0", "helper=helper:3")
    eventually(lambda: sites.condition("PodsModified"))
    sites.ready(sidecars=[{"name": "helper", "image": "helper:4"}])
    eventually(sites.get, until=lambda site: "PodsModified" not in json.dumps(site["status"]))
    assert sites.uids() == uids
