from __future__ import annotations

from typing import Any

import pytest

from podpatterns.replicas import observe
from tests.builders import REVISION, old, pod, unready


def raw(status: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    """A Pod as the API server sends it."""
    return {
        "metadata": {
            "name": "site-0",
            "uid": "u",
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "resourceVersion": "7",
            "labels": {"podpatterns.dev/revision": "abc"},
            **metadata,
        },
        "spec": {"nodeName": "node"},
        "status": status or {},
    }


def waiting(reason: str) -> dict[str, Any]:
    return {"state": {"waiting": {"reason": reason}}, "restartCount": 2}


def test_a_pod_that_just_came() -> None:
    pod = observe(raw())
    assert (pod.name, pod.uid, pod.revision, pod.resource_version) == ("site-0", "u", "abc", 7)
    assert pod.live
    assert pod.phase == "Pending"
    assert pod.ready_since is None


def test_readiness_has_a_since() -> None:
    conditions = [
        {"type": "Initialized", "status": "True", "lastTransitionTime": "2026-01-01T00:00:01Z"},
        {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:10Z"},
    ]
    pod = observe(raw({"phase": "Running", "conditions": conditions}))
    assert pod.ready_since == pod.created + 10
    assert pod.available(pod.created + 15, 5)
    assert not pod.available(pod.created + 14, 5)


def test_why_a_container_ended_comes_before_that_it_waits() -> None:
    crashed = {
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}},
        "lastState": {"terminated": {"exitCode": 1, "message": "rules[0].path:\n bad\n"}},
    }
    assert observe(raw({"initContainerStatuses": [crashed]})).message == "rules[0].path: bad; back-off 10s"


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({"phase": "Failed", "reason": "Evicted"}, "Evicted"),
        ({"containerStatuses": [waiting("ImagePullBackOff")]}, "ImagePullBackOff"),
        ({"initContainerStatuses": [waiting("CrashLoopBackOff")]}, "CrashLoopBackOff"),
        ({"containerStatuses": [waiting("ContainerCreating")]}, ""),
        ({"containerStatuses": [waiting("PodInitializing")]}, ""),
    ],
)
def test_the_reason_is_kubernetes_own_word(status: dict[str, Any], reason: str) -> None:
    assert observe(raw(status)).reason == reason


def test_restarts_count_native_sidecars_too() -> None:
    status = {"initContainerStatuses": [waiting("x")], "containerStatuses": [waiting("y"), waiting("z")]}
    assert observe(raw(status)).restarts == 6


def test_terminating_and_finished_pods_are_not_live() -> None:
    assert not observe(raw(deletionTimestamp="2026-01-01T00:01:00Z")).live
    assert not observe(raw({"phase": "Succeeded"})).live


@pytest.mark.parametrize(("cost", "expected"), [("-5", -5), ("10", 10), ("much", 0), ("", 0)])
def test_pod_deletion_cost(cost: str, expected: int) -> None:
    annotations = {"controller.kubernetes.io/pod-deletion-cost": cost}
    assert observe(raw(annotations=annotations)).deletion_cost == expected


def test_a_pod_has_arrived_when_its_node_has_carried_out_what_changed() -> None:
    assert pod("site-0").has_arrived_at(REVISION)
    assert not pod("site-0", restarting=True).has_arrived_at(REVISION)
    assert not pod("site-0", settling=True).has_arrived_at(REVISION), "a change of resources is deferred"
    assert unready("site-0", settling=True).has_arrived_at(REVISION), "it was made of that revision"
    assert not old("site-0").has_arrived_at(REVISION)


def test_a_pod_without_a_sandbox_waits_for_its_volumes() -> None:
    def mounting(ready: str) -> bool:
        conditions = [{"type": "PodReadyToStartContainers", "status": ready}]
        return observe(raw({"phase": "Pending", "conditions": conditions})).mounting

    assert mounting("False")
    assert not mounting("True")
    assert not observe(raw()).mounting, "it has no node yet"
