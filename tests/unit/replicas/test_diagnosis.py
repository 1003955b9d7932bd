"""What a Pod waits for, in the words of the scheduler and the kubelet."""

from __future__ import annotations

from typing import Any

import pytest

from podpatterns.replicas import observe
from podpatterns.replicas.unhealthy import unhealthy

NODES = '0/3 nodes are available: persistentvolumeclaim "data" not found.'
RUNNING: dict[str, Any] = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
WAITING = {"waiting": {"reason": "PodInitializing"}}
VALUE = "of-a-secret"


def ended(code: int) -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "message": VALUE}}


def container(name: str, state: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"name": name, "state": state, "ready": False, "started": False, **fields}


def condition(kind: str, reason: str, message: str = "") -> dict[str, Any]:
    return {"type": kind, "status": "False", "reason": reason, "message": message}


def told(status: dict[str, Any], spec: dict[str, Any] | None = None, **meta: Any) -> str:
    """What a status says of a Pod that is not ready."""
    conditions = [*status.get("conditions", ()), condition("Ready", "ContainersNotReady")]
    pod = {
        "metadata": {"name": "site-0", "uid": "u", "resourceVersion": "1", **meta},
        "spec": spec or {},
        "status": {"phase": "Pending", **status, "conditions": conditions},
    }
    return unhealthy([observe(pod)], None)


def test_the_scheduler_is_told_in_its_words() -> None:
    status = {"conditions": [condition("PodScheduled", "Unschedulable", NODES)]}
    assert told(status) == f"site-0 (Unschedulable): {NODES}"


def test_a_scheduling_gate_is_told_by_name() -> None:
    status = {"conditions": [condition("PodScheduled", "SchedulingGated", "Scheduling is blocked")]}
    spec = {"schedulingGates": [{"name": "example.com/quota"}, {"name": "example.com/later"}]}
    assert told(status, spec) == "site-0 (SchedulingGated): gate example.com/quota, example.com/later"


PROBED: dict[str, Any] = {"startupProbe": {"tcpSocket": {}}, "readinessProbe": {"tcpSocket": {}}}
SPEC: dict[str, Any] = {
    "initContainers": [
        {"name": "proxy", "restartPolicy": "Always", **PROBED},
        {"name": "first"},
        {"name": "migrate"},
    ],
    "containers": [{"name": "web", **PROBED}, {"name": "bare"}],
}


@pytest.mark.parametrize(
    ("init", "others", "expected"),
    [
        (
            [container("first", ended(0)), container("migrate", RUNNING)],
            [container("web", WAITING)],
            "ContainersNotInitialized: container migrate",
        ),
        (
            [container("first", ended(3)), container("migrate", WAITING)],
            [],
            "ContainersNotInitialized: container first, exit code 3",
        ),
        (
            [container("proxy", RUNNING, started=True), container("first", RUNNING)],
            [],
            "ContainersNotInitialized: container first",
        ),
        (
            [container("proxy", RUNNING), container("first", WAITING)],
            [],
            "ContainersNotReady: container proxy): its startupProbe has not succeeded",
        ),
        (
            [container("first", ended(0))],
            [container("web", RUNNING, lastState=ended(137))],
            "ContainersNotReady: container web, exit code 137): its startupProbe has not succeeded",
        ),
        (
            [],
            [container("web", RUNNING, started=True)],
            "ContainersNotReady: container web): its readinessProbe has not succeeded",
        ),
        ([], [container("bare", RUNNING)], "ContainersNotReady: container bare"),
        (
            [],
            [container("web", RUNNING, ready=True), container("bare", ended(1))],
            "container bare, exit code 1",
        ),
        ([], [container("web", WAITING)], ""),
    ],
)
def test_the_container_and_the_probe_that_a_pod_waits_for_are_told(
    init: list[dict[str, Any]], others: list[dict[str, Any]], expected: str
) -> None:
    found = told({"initContainerStatuses": init, "containerStatuses": others}, SPEC)
    assert expected in found
    assert bool(expected) == bool(found)
    assert VALUE not in found


def test_a_readiness_gate_is_told_in_the_kubelets_words() -> None:
    words = 'corresponding condition of pod readiness gate "example.com/lb" does not exist.'
    status = {
        "phase": "Running",
        "containerStatuses": [container("web", RUNNING, ready=True, started=True)],
        "conditions": [condition("Ready", "ReadinessGatesNotReady", words)],
    }
    pod = {"metadata": {"name": "site-0"}, "spec": SPEC, "status": status}
    assert unhealthy([observe(pod)], None) == f"site-0 (ReadinessGatesNotReady): {words}"


def test_a_pod_that_ends_waits_for_nothing() -> None:
    status = {"containerStatuses": [container("web", RUNNING)]}
    assert told(status, SPEC)
    assert told(status, SPEC, deletionTimestamp="2026-01-01T00:00:00Z") == ""
    assert told({**status, "phase": "Succeeded"}, SPEC) == ""


def test_a_healthy_pod_costs_no_words() -> None:
    ready = {"conditions": [{"type": "Ready", "status": "True"}], "phase": "Running"}
    pod = {"metadata": {"name": "site-0"}, "spec": SPEC, "status": ready}
    assert observe(pod).reason == ""


@pytest.mark.parametrize("odd", [None, 1, "x", [], [1], {"state": 1}, [{"name": 1, "state": {"running": 1}}]])
def test_whatever_form_a_status_has_it_is_read(odd: Any) -> None:
    status = {"containerStatuses": odd, "initContainerStatuses": odd}
    told(status, {"initContainers": odd, "containers": odd, "schedulingGates": odd})
