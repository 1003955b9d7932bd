"""An edit that can't work changes no Pod and stops nothing: Pods are kept and scaled as they were last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from testbed import hostile
from testbed.cluster.kubectl import Kubectl
from testbed.cluster.operator_process import OperatorProcess
from testbed.eventually import eventually
from tests.integration.controller.sites import Sites

WEB = {"name": "web", "image": "web:2", "ports": [{"containerPort": 80}]}
HELPER = {"name": "helper", "image": "helper:1", "ports": [{"containerPort": 80}]}
CLASH: dict[str, Any] = {
    "template": {"spec": {"containers": [WEB], "terminationGracePeriodSeconds": 1}},
    "sidecars": [HELPER],
}


def broken(sites: Sites, naming: str) -> dict[str, str]:
    """A site with three Pods, then with an edit that can't be composed; gives its Pods."""
    sites.ready(replicas=3, podNaming=naming)
    before = sites.uids()
    sites.apply(replicas=3, podNaming=naming, **CLASH)
    told = eventually(lambda: sites.condition("Ready"), until=lambda c: c.get("status") == "False")
    assert told["reason"] == "PortsConflict"
    assert "port 80 is taken by" in told["message"]
    assert sites.uids() == before
    return before


@pytest.mark.parametrize("naming", ["Stable", "Generated"])
@pytest.mark.parametrize("restarted", [False, True], ids=["", "after a restart"])
def test_deleted_pods_come_back_as_they_were(
    sites: Sites, operator: OperatorProcess, kubectl: Kubectl, naming: str, *, restarted: bool
) -> None:
    before = broken(sites, naming)
    if restarted:
        operator.restart()
    first, second, kept = before
    kubectl("delete", "pod", first, second)
    pods = eventually(
        sites.pods,
        until=lambda pods: (
            len(pods) == 3 and len({p["metadata"]["uid"] for p in pods} & {*before.values()}) == 1
        ),
    )
    assert before[kept] in {p["metadata"]["uid"] for p in pods}
    assert {p["spec"]["containers"][0]["image"] for p in pods} == {"web:1"}
    revisions = {p["metadata"]["labels"]["podpatterns.dev/revision"] for p in pods}
    assert len(revisions) == 1
    assert sites.condition("Ready")["reason"] == "PortsConflict"


@pytest.mark.parametrize("naming", ["Stable", "Generated"])
def test_it_is_scaled_and_then_corrected(sites: Sites, kubectl: Kubectl, naming: str) -> None:
    before = broken(sites, naming)
    kubectl("scale", "sidecarapp/site", "--replicas=5")
    grown = eventually(sites.uids, until=lambda now: len(now) == 5)
    assert before.items() <= grown.items()
    kubectl("scale", "sidecarapp/site", "--replicas=2")
    eventually(sites.uids, until=lambda now: len(now) == 2)
    assert sites.condition("Ready")["reason"] == "PortsConflict"
    pods = sites.ready(replicas=2, podNaming=naming, image="web:3")
    assert {p["spec"]["containers"][0]["image"] for p in pods} == {"web:3"}


def test_a_part_that_is_gone_stops_nothing(sites: Sites, kubectl: Kubectl) -> None:
    sites.apply_part("part", image="part:1")
    sites.ready(replicas=2, include=[{"kind": "SidecarApp", "name": "part"}])
    before = sites.uids()
    kubectl("delete", "sidecarapp", "part")
    eventually(lambda: sites.condition("Ready"), until=lambda c: c.get("reason") == "PartNotFound")
    kubectl("delete", "pod", "site-1")
    sites.replaced(before, "site-1")
    assert [c["name"] for c in sites.pods()[1]["spec"]["initContainers"]] == ["part", "helper"]


def withhold_revisions(kubectl: Kubectl) -> None:
    kubectl.apply(hostile.quota())
    eventually(lambda: kubectl.get("quota", "no-revisions"), until=lambda q: "hard" in q.get("status", {}))


def test_what_was_never_written_is_kept_too(sites: Sites, kubectl: Kubectl) -> None:
    withhold_revisions(kubectl)
    before = broken(sites, "Stable")
    kubectl("delete", "pod", "site-1")
    sites.replaced(before, "site-1")
    assert sites.pods()[1]["spec"]["containers"][0]["image"] == "web:1"
    assert "updateRevision" not in sites.get()["status"], "nobody could go back to it"


def test_what_was_not_written_is_told_and_made_up_for_after_a_restart(
    sites: Sites, operator: OperatorProcess, kubectl: Kubectl
) -> None:
    withhold_revisions(kubectl)
    sites.ready(replicas=2)
    before = sites.uids()
    operator.restart()
    kubectl("delete", "pod", "site-1")
    sites.replaced(before, "site-1")
    sites.wait_until_ready()
    assert sites.condition("ReplicaFailure")["status"] == "True"
    assert "updateRevision" not in sites.get()["status"]
    kubectl("delete", "quota", "--all")
    eventually(lambda: kubectl.get("controllerrevisions")["items"], 90)
    eventually(lambda: "updateRevision" in sites.get()["status"])


def test_an_edit_is_corrected_where_somebody_deleted_the_history(sites: Sites, kubectl: Kubectl) -> None:
    sites.ready(replicas=3)
    kubectl("delete", "controllerrevisions", "--all")
    broken(sites, "Stable")
    sites.ready(replicas=3, image="web:2")


def test_an_object_without_the_form_of_its_kind_is_kept_and_scaled(
    sites: Sites, variant: Callable[..., OperatorProcess], kubectl: Kubectl
) -> None:
    """The CRD is of a newer version than the operator."""
    variant("last_version")
    sites.ready(replicas=3)
    before = sites.uids()
    sites.apply(replicas=3, image="web:2", sharedMemory="1Mi")
    eventually(lambda: sites.condition("Ready"), until=lambda c: c.get("reason") == "InvalidSpec")
    assert sites.uids() == before
    kubectl("delete", "pod", "site-1")
    sites.replaced(before, "site-1")
    kubectl("scale", "sidecarapp/site", "--replicas=4")
    eventually(sites.uids, until=lambda now: len(now) == 4)
    assert {p["spec"]["containers"][0]["image"] for p in sites.pods()} == {"web:1"}
    assert sites.condition("Ready")["reason"] == "InvalidSpec"
    sites.ready(replicas=4, image="web:2")
