"""A name that somebody else's Pod has is left to it, and costs the one slot."""

from __future__ import annotations

import time

from testbed.cluster.control_plane import ControlPlane
from testbed.cluster.kubectl import Kubectl
from testbed.eventually import eventually
from tests.integration.controller.hostile import Writes
from tests.integration.controller.sites import Sites

TAKEN_SECONDS = 8
"""Within which a freed name is taken."""
TRIED_TIMES, TRIED_SECONDS = 9, 30
"""After so many attempts, or for so long in vain, a back-off has grown past that."""


def test_the_other_slots_are_filled(sites: Sites, kubectl: Kubectl) -> None:
    kubectl("run", "site-0", "--image=foreign")
    foreign = kubectl.get("pod", "site-0")["metadata"]["uid"]
    sites.apply(replicas=3)
    eventually(lambda: list(sites.uids()), until=["site-1", "site-2"].__eq__)
    told = eventually(lambda: sites.condition("ReplicaFailure"), until=lambda c: c.get("status") == "True")
    assert told["reason"] == "PodNameTaken"
    assert '"site-0" exists already' in told["message"]
    before = sites.uids()
    kubectl("delete", "pod", "site-2")
    eventually(
        sites.uids, until=lambda now: now.keys() == before.keys() and now["site-2"] != before["site-2"]
    )
    assert kubectl.get("pod", "site-0")["metadata"]["uid"] == foreign


def test_a_freed_name_is_taken_soon(sites: Sites, kubectl: Kubectl, control_plane: ControlPlane) -> None:
    """Even when the operator has tried for so long that it had better try more rarely."""
    kubectl("run", "site-0", "--image=foreign")
    writes = Writes(control_plane, kubectl.namespace)
    sites.apply(replicas=2)
    eventually(lambda: sites.condition("ReplicaFailure"), until=lambda c: c.get("reason") == "PodNameTaken")
    tried = time.monotonic() + TRIED_SECONDS
    eventually(
        lambda: len(writes.of("create", "pods")) >= TRIED_TIMES or time.monotonic() > tried, 2 * TRIED_SECONDS
    )
    kubectl("delete", "pod", "site-0")
    eventually(lambda: "site-0" in sites.uids(), TAKEN_SECONDS)
    sites.wait_until_ready()
    assert sites.condition("ReplicaFailure")["status"] == "False"


def test_a_released_pod_costs_one_slot(sites: Sites, kubectl: Kubectl) -> None:
    sites.ready(replicas=3)
    kubectl("label", "pod", "site-0", "podpatterns.dev/name-")
    eventually(lambda: sites.condition("ReplicaFailure"), until=lambda c: c.get("reason") == "PodNameTaken")
    before = sites.uids()
    kubectl("delete", "pod", "site-1", "site-2")
    eventually(sites.uids, until=lambda now: now.keys() == before.keys() and not now.items() & before.items())
    kubectl("delete", "pod", "site-0")
    eventually(lambda: "site-0" in sites.uids(), TAKEN_SECONDS)
    sites.wait_until_ready()
