from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podpatterns.api.conditions import PodReason
from podpatterns.compose.labels import RESIZE, UPDATED_CONTAINERS
from podpatterns.replicas import observe
from testbed.builders import NOW, REVISION, old, pod, unready


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


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        ("-5", -5),
        ("10", 10),
        ("0", 0),
        ("2147483647", 2147483647),
        ("-2147483648", -2147483648),
        ("much", 0),
        ("", 0),
        ("2147483648", 0),
        ("+1", 0),
        ("08", 0),
        ("1_0", 0),
        (" 1", 0),
        ("1" + "0" * 100_000, 0),
        (7, 0),
    ],
)
def test_a_deletion_cost_is_an_int32_as_replicaset_reads_it(cost: Any, expected: int) -> None:
    annotations = {"controller.kubernetes.io/pod-deletion-cost": cost}
    assert observe(raw(annotations=annotations)).deletion_cost == expected


def test_a_pod_has_arrived_when_its_node_has_carried_out_what_changed() -> None:
    assert pod("site-0").has_arrived_at(REVISION)
    assert not pod("site-0", restarting=True).has_arrived_at(REVISION)
    assert not pod("site-0", settling=True).has_arrived_at(REVISION), "a change of resources is deferred"
    assert unready("site-0", settling=True).has_arrived_at(REVISION), "it was made of that revision"
    assert not old("site-0").has_arrived_at(REVISION)
    assert not pod("site-0", between="other").has_arrived_at(REVISION), "its label can't be believed"


def test_a_pod_without_a_sandbox_waits_for_its_volumes() -> None:
    def mounting(ready: str) -> bool:
        conditions = [{"type": "PodReadyToStartContainers", "status": ready}]
        return observe(raw({"phase": "Pending", "conditions": conditions})).mounting

    assert mounting("False")
    assert not mounting("True")
    assert not observe(raw()).mounting, "it has no node yet"


READY = {"type": "Ready", "status": "True"}


@pytest.mark.parametrize("turned", [{"lastTransitionTime": None}, {}, {"lastTransitionTime": "soon"}])
def test_a_node_that_does_not_say_since_when_has_it_so_from_the_start(turned: dict[str, Any]) -> None:
    """virtual-kubelet writes null, and ReplicaSet takes it so."""
    seen = observe(raw({"phase": "Running", "conditions": [{**READY, **turned}]}))
    assert seen.ready_since == seen.created
    assert seen.reason == ""


@pytest.mark.parametrize(
    "status", [{"containerStatuses": None}, {"containerStatuses": [{"state": None}]}, {}]
)
def test_what_is_null_is_not_there(status: dict[str, Any]) -> None:
    assert observe(raw(status)) == observe(raw())


def test_clocks_are_compared_only_where_they_have_to_be() -> None:
    ahead = pod("site-0", ready_since=NOW + 60)
    assert ahead.available(NOW, 0)
    assert not ahead.available(NOW, 1)
    assert (ahead.available_after(NOW, 0), ahead.available_after(NOW, 1)) == (None, 61)


def resizing(live: str, *, asked: str | None = "200m", revision: str = "abc") -> dict[str, Any]:
    """A Pod whose node puts a change of resources off."""
    condition = {"type": "PodResizePending", "status": "True", "reason": "Deferred", "message": "no room"}
    written = f'{{"revision":"{revision}","resources":{{"web":{{"requests":{{"cpu":"{asked}"}}}}}}}}'
    obj = raw({"conditions": [READY, condition]}, annotations={RESIZE: written} if asked else {})
    obj["spec"]["containers"] = [{"name": "web", "resources": {"requests": {"cpu": live}}}]
    return obj


def test_a_deferred_resize_counts_when_the_operator_asked_for_it() -> None:
    assert observe(resizing("200m")).settling
    assert observe(resizing("0.2")).reason == "ResizeDeferred"
    for somebody_elses in (resizing("300m"), resizing("200m", asked=None)):
        assert not observe(somebody_elses).settling
        assert observe(somebody_elses).reason == ""


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_pod_that_has_ended_waits_for_no_resize(phase: str) -> None:
    """Else finished work would be done again for want of room."""
    obj = resizing("200m")
    obj["status"]["phase"] = phase
    obj["metadata"]["generation"], obj["status"]["observedGeneration"] = 3, 2
    pod = observe(obj)
    assert (pod.resize_pending, pod.settling, pod.reason) == ("", False, "")


def test_a_resize_that_is_pending_is_told_by_its_reason_and_time() -> None:
    obj = resizing("200m")
    obj["status"]["conditions"][1]["lastTransitionTime"] = "2026-01-01T00:00:07Z"
    pod = observe(obj)
    assert (pod.resize_pending, pod.resize_pending_since) == ("Deferred", pod.created + 7)
    obj["status"]["conditions"][1]["type"] = "PodResizeInProgress"
    assert observe(obj).resize_pending == "", "the node has begun"
    assert observe(resizing("300m")).resize_pending == "", "somebody else's"


def test_a_pod_between_two_revisions_says_so_itself() -> None:
    assert observe(resizing("200m")).between == ""
    assert observe(resizing("200m", revision="other")).between == "other"


def test_long_finalizers_are_cut() -> None:
    seen = observe(raw(finalizers=["f" * 1000, *(f"f{i}" for i in range(1000))]))
    assert len(seen.finalizers) == 4
    assert len("".join(seen.finalizers).encode()) < 200


DEEP = "[" * 1200
REAL = {
    "metadata": {
        "name": "site-0",
        "uid": "u",
        "resourceVersion": "7",
        "generation": 3,
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "labels": {"podpatterns.dev/revision": "abc"},
        "annotations": {
            UPDATED_CONTAINERS: '{"web":{"id":"i","image":"web:1"}}',
            RESIZE: '{"revision":"abc","resources":{"web":{"requests":{"cpu":"1"}}}}',
            "controller.kubernetes.io/pod-deletion-cost": "5",
        },
        "finalizers": ["a.example/b"],
    },
    "spec": {
        "nodeName": "node",
        "initContainers": [{"name": "sync", "image": "sync:1", "restartPolicy": "Always"}],
        "containers": [{"name": "web", "image": "web:2", "resources": {"requests": {"cpu": "1"}}}],
    },
    "status": {
        "phase": "Running",
        "observedGeneration": 3,
        "podIP": "10.0.0.1",
        "conditions": [
            {**READY, "lastTransitionTime": "2026-01-01T00:00:10Z"},
            {"type": "PodResizePending", "status": "True", "reason": "Deferred", "message": "no room"},
        ],
        "initContainerStatuses": [{"name": "sync", "state": {"running": {}}, "ready": False}],
        "containerStatuses": [
            {
                "name": "web",
                "containerID": "i",
                "restartCount": 2,
                "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {
                    "terminated": {"exitCode": 1, "message": "m", "finishedAt": "2026-01-01T00:00:10Z"}
                },
            },
            {"name": "done", "state": {"terminated": {"finishedAt": "2026-01-01T00:00:10Z"}}},
        ],
    },
}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each value in a tree of JSON, the root left out."""
    if path:
        yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from places(value[key], (*path, key))


def holds(value: Any, key: Any) -> bool:
    return key in (value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ())


odd = st.sampled_from(
    [
        None,
        "",
        "x",
        DEEP,
        '{"a":' * 1200,
        "1" + "0" * 5000,
        "9999-99-99T99:99:99Z",
        "0001-01-01T00:00:00+23:59",
    ]
) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@given(st.lists(st.tuples(st.sampled_from(sorted(places(REAL), key=str)), odd), min_size=1, max_size=4))
def test_whatever_anybody_writes_on_a_pod_it_has_a_record(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    obj: Any = copy.deepcopy(REAL)
    for path, value in changes:
        within = obj
        for key in path[:-1]:
            within = within[key] if holds(within, key) else None
        if holds(within, path[-1]):
            within[path[-1]] = value
    seen = observe(obj)
    hash(seen)
    assert isinstance(seen.created, float)
    assert seen.live == (not seen.terminating and seen.phase not in ("Failed", "Succeeded"))


@pytest.mark.parametrize("annotation", [UPDATED_CONTAINERS, RESIZE])
def test_an_annotation_nested_beyond_all_bounds_says_nothing(annotation: str) -> None:
    assert observe(raw(annotations={annotation: DEEP})) == observe(raw(annotations={annotation: "{}"}))


def test_a_pod_that_can_not_be_read_counts_as_live_and_not_available() -> None:
    seen = observe(raw({"phase": "Running", "conditions": [READY]}, resourceVersion="seven"))
    assert (seen.name, seen.uid, seen.revision, seen.phase) == ("site-0", "u", "abc", "Running")
    assert seen.live
    assert not seen.available(NOW, 0)
    assert seen.reason == PodReason.UNREADABLE
    assert seen.message == "the Pod has not the form of a Pod (ValueError)"
