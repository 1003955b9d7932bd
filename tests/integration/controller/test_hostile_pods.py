"""Pods that say what no Pod should: each spoils one record at the most, and ends nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from testbed.cluster.kubectl import Kubectl
from testbed.cluster.operator_process import OperatorProcess
from testbed.eventually import eventually
from testbed.hostile import DEEP, UPDATED_CONTAINERS, stranger, talkative, timeless
from tests.integration.controller.hostile import told, unharmed
from tests.integration.controller.sites import Sites


def patch_status(kubectl: Kubectl, pod: str, patch: dict[str, Any]) -> None:
    kubectl("patch", "pod", pod, "--subresource=status", "--type=merge", f"--patch={json.dumps(patch)}")


@pytest.mark.parametrize("owner", ["nobody", "site"])
def test_a_strangers_record_of_an_update_is_nobodys_trouble(
    sites: Sites, operator: OperatorProcess, kubectl: Kubectl, owner: str
) -> None:
    sites.ready(replicas=2)
    before = sites.uids()
    with unharmed(operator):
        kubectl.apply(stranger("stranger", owner=owner))
        kubectl("delete", "pod", "site-1")
        eventually(lambda: sites.uids().get("site-1"), until=lambda uid: uid not in (None, before["site-1"]))
    operator.restart()
    with unharmed(operator):
        sites.ready("later")
    sites.wait_until_ready()
    assert "ownerReferences" not in kubectl.get("pod", "stranger")["metadata"]


def test_a_pod_of_ours_with_such_a_record_is_kept(
    sites: Sites, operator: OperatorProcess, kubectl: Kubectl
) -> None:
    sites.ready(replicas=2)
    before = sites.uids()
    with unharmed(operator):
        kubectl("annotate", "pod", "site-0", f"{UPDATED_CONTAINERS}={DEEP}")
        kubectl("delete", "pod", "site-1")
        sites.replaced(before, "site-1")
        sites.wait_until_ready()
        assert sites.uids()["site-0"] == before["site-0"]
        sites.ready(replicas=2, image="web:2", updateStrategy={"inPlace": {"containers": "All"}})
    assert {p["spec"]["containers"][0]["image"] for p in sites.pods()} == {"web:2"}


def test_a_ready_condition_without_a_time_counts_from_the_pods_creation(
    sites: Sites, operator: OperatorProcess, kubectl: Kubectl
) -> None:
    [pod, _] = sites.ready(replicas=2, minReadySeconds=1)
    before = sites.uids()
    with unharmed(operator):
        patch_status(kubectl, "site-0", timeless(pod))
        kubectl("delete", "pod", "site-1")
        sites.replaced(before, "site-1")
        sites.wait_until_ready()
    operator.restart()
    with unharmed(operator):
        sites.ready(replicas=3, minReadySeconds=1)
    assert sites.uids()["site-0"] == before["site-0"]


def test_a_node_whose_clock_is_ahead_makes_no_pod_unavailable(sites: Sites, kubectl: Kubectl) -> None:
    """ReplicaSet compares clocks only where spec.minReadySeconds asks for it."""
    [pod] = sites.ready()
    later = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    conditions = [{**c, "lastTransitionTime": later} for c in pod["status"]["conditions"]]
    patch_status(kubectl, "site-0", {"status": {"conditions": conditions}})
    sites.ready(replicas=2)
    assert sites.uids()["site-0"] == pod["metadata"]["uid"]


WORDS = "crown-jewels-4711"


def test_words_of_peoples_containers_stay_out_of_the_status(sites: Sites, kubectl: Kubectl) -> None:
    """Whoever may read the object need not be allowed to read its Secrets, which a container can print."""
    [pod] = sites.ready()
    patch_status(kubectl, "site-0", talkative(pod, WORDS))
    site = eventually(sites.get, until=lambda site: "CrashLoopBackOff" in told(site))
    assert WORDS not in json.dumps(site)
    assert "helper" in told(site), "which container it is"
    assert "exit code 1" in told(site)
    assert not any(WORDS in message for _, message in sites.events())


def test_a_failed_orphan_on_a_stable_name_is_adopted_and_replaced(sites: Sites, kubectl: Kubectl) -> None:
    sites.ready(replicas=2)
    before = sites.uids()
    kubectl("delete", "sidecarapp", "site", "--cascade=orphan")
    eventually(sites.pods, until=lambda pods: not any("ownerReferences" in p["metadata"] for p in pods))
    patch_status(kubectl, "site-0", {"status": {"phase": "Failed", "reason": "Evicted"}})
    sites.apply(replicas=2)
    sites.replaced(before, "site-0")
    sites.wait_until_ready()
    assert sites.uids()["site-1"] == before["site-1"]
