from __future__ import annotations

from typing import Any

import pytest

from testbed.witness.settlement import unsettled

COUNTS = {"replicas": 1, "readyReplicas": 1, "availableReplicas": 1, "updatedReplicas": 1}
SETTLED = {**COUNTS, "terminatingReplicas": 0, "observedGeneration": 1, "updateRevision": "site-r1"}


def site(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "SidecarApp",
        "metadata": {"namespace": "ns", "name": "site", "uid": "A", "generation": 1},
        "spec": {"replicas": 1, "template": {}},
        "status": SETTLED,
        **changes,
    }


def pod(
    name: str = "site-0", *, ready: str = "True", revision: str = "r1", phase: str = "Running"
) -> dict[str, Any]:
    reference = {"apiVersion": "podpatterns.dev/v1alpha1", "kind": "SidecarApp", "name": "site"}
    labels = {"kind": "SidecarApp", "name": "site", "revision": revision}
    return {
        "metadata": {
            "namespace": "ns",
            "name": name,
            "uid": name,
            "labels": {f"podpatterns.dev/{key}": value for key, value in labels.items()},
            "ownerReferences": [{**reference, "uid": "A", "controller": True}],
        },
        "status": {"phase": phase, "conditions": [{"type": "Ready", "status": ready}]},
    }


def test_settled() -> None:
    assert unsettled([site()], [pod()]) == []
    part = site(spec={"sidecars": []}, status={"observedGeneration": 1})
    assert unsettled([part], []) == []
    user = {"kind": "SidecarApp", "name": "site"}
    included = site(spec={"include": [user]}, metadata={**site()["metadata"], "name": "user"})
    included["status"] = {"observedGeneration": 1}
    part["status"] |= {"usedBy": [{**user, "name": "user"}], "users": 1, "updatedUsers": 0}
    assert unsettled([part, included], []) == []
    included["status"] |= {"updateRevision": "a", "currentRevision": "a"}
    included["status"]["parts"] = [{**user, "generation": part["metadata"]["generation"]}]
    assert unsettled([part, included], []) == ["site: users and updatedUsers are (1, 0), not (1, 1)"]
    part["status"]["updatedUsers"] = 1
    assert unsettled([part, included], []) == []


@pytest.mark.parametrize(
    ("owners", "pods", "reason"),
    [
        ([site(status={**SETTLED, "observedGeneration": 0})], [pod()], "observedGeneration is 0, not 1"),
        ([site()], [], "1 Pods wanted, there are []"),
        ([site()], [pod("site-1")], "1 Pods wanted, there are ['site-1']"),
        ([site()], [pod(ready="False")], "Pod site-0 site-0 of A: Running"),
        ([site()], [pod(revision="r0")], "updateRevision is site-r1, there are {'site-r0'}"),
        ([site(status={**SETTLED, "replicas": 2})], [pod()], "status says"),
        ([], [pod()], "its owner is gone"),
        (
            [site(spec={}, status={"observedGeneration": 1, "usedBy": [{"kind": "Adapter", "name": "a"}]})],
            [],
            "usedBy is [{'kind': 'Adapter', 'name': 'a'}], not []",
        ),
    ],
)
def test_not_yet(owners: list[dict[str, Any]], pods: list[dict[str, Any]], reason: str) -> None:
    [left] = unsettled(owners, pods)
    assert reason in left


WORK = {"replicas": 2, "template": {"spec": {"restartPolicy": "Never"}}}
DONE = pod(phase="Succeeded", ready="False")


def work(condition: str, succeeded: int) -> dict[str, Any]:
    conditions = [{"type": condition, "status": "True"}]
    status = {"succeeded": succeeded, "conditions": conditions, "work": {"revision": "r1"}}
    return site(spec=WORK, status={**SETTLED, **status})


@pytest.mark.parametrize(
    ("owner", "pods", "reason"),
    [
        (work("Complete", 2), [DONE], ""),
        (work("Failed", 0), [pod(phase="Failed")], ""),
        (work("Failed", 0), [pod()], "Pod site-0 site-0 of A: Running"),
        (work("Ready", 1), [DONE], "1 of 2 succeeded"),
        (work("Complete", 2), [pod("site-2", phase="Succeeded")], "at most 2 Pods wanted"),
        (work("Complete", 2), [pod(phase="Succeeded", revision="r0")], "Pods of {'r0'} are there"),
    ],
)
def test_work_that_ends(owner: dict[str, Any], pods: list[dict[str, Any]], reason: str) -> None:
    left = unsettled([owner], pods)
    assert bool(left) == bool(reason)
    assert reason in "".join(left)
