"""The verdict of `podpatterns status` on an object, and its text."""

from __future__ import annotations

from typing import Any

import pytest

from podpatterns.cli.podview import pod_view
from podpatterns.cli.status import Outcome, data, judged, text

TEMPLATE: dict[str, Any] = {"spec": {"containers": []}}


def condition(kind: str, status: bool, reason: str, message: str = "told") -> dict[str, Any]:
    return {
        "type": kind,
        "status": str(status),
        "reason": reason,
        "message": message,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }


def obj(*conditions: dict[str, Any], observed: int = 2, template: Any = TEMPLATE) -> dict[str, Any]:
    return {
        "kind": "SidecarApp",
        "metadata": {"name": "site", "namespace": "default", "generation": 2, "uid": "1"},
        "spec": {"replicas": 3, **({"template": template} if template else {})},
        "status": {
            "observedGeneration": observed,
            "replicas": 3,
            "readyReplicas": 2,
            "updateRevision": "site-abc",
            "conditions": list(conditions),
        },
    }


def ready(status: bool, reason: str = "PodsAvailable") -> dict[str, Any]:
    return condition("Ready", status, reason)


def progressing(status: bool, reason: str) -> dict[str, Any]:
    return condition("Progressing", status, reason)


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (obj(ready(True), progressing(True, "RevisionComplete")), Outcome.COMPLETE),
        (obj(ready(True), progressing(True, "PartitionReached")), Outcome.COMPLETE),
        (obj(ready(True), progressing(True, "OnDelete")), Outcome.COMPLETE),
        (obj(ready(True), progressing(True, "RollingOut")), Outcome.UNDER_WAY),
        (obj(ready(True), progressing(True, "RevisionComplete"), observed=1), Outcome.UNDER_WAY),
        (obj(ready(False, "PodsNotAvailable"), progressing(True, "RevisionComplete")), Outcome.UNDER_WAY),
        (obj(ready(False, "Forbidden"), progressing(False, "Forbidden")), Outcome.UNDER_WAY),
        (obj(ready(False, "Paused"), progressing(False, "Paused")), Outcome.FAILED),
        (
            obj(ready(False, "PodsNotAvailable"), progressing(False, "ProgressDeadlineExceeded")),
            Outcome.FAILED,
        ),
        (
            obj(ready(False, "BackoffLimitExceeded"), progressing(False, "BackoffLimitExceeded")),
            Outcome.FAILED,
        ),
        (obj(ready(True, "CompletionsReached"), progressing(True, "RevisionComplete")), Outcome.COMPLETE),
        (obj(ready(False, "PartNotFound"), progressing(False, "PartNotFound")), Outcome.FAILED),
        (obj(ready(True, "ReusablePart"), template=None), Outcome.COMPLETE),
        (obj(ready(False, "InvalidSpec"), template=None), Outcome.FAILED),
        (obj(), Outcome.UNDER_WAY),
    ],
)
def test_an_object_is_complete_failed_or_under_way(found: dict[str, Any], outcome: Outcome) -> None:
    assert judged(found).outcome is outcome


def test_an_object_without_a_status_waits_for_the_operator() -> None:
    new = obj()
    del new["status"]
    assert judged(new).text == "the operator has not observed generation 2 yet"


def pod(name: str, **status: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "uid": f"uid-of-{name}"},
        "spec": {"containers": [{"name": "web", "image": "web"}]},
        "status": {"phase": "Pending", **status},
    }


UNREADY = pod(
    "site-1",
    conditions=[{"type": "Ready", "status": "False"}],
    containerStatuses=[
        {"name": "web", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}
    ],
)


def test_the_text_has_counts_conditions_and_pods_that_are_not_ready() -> None:
    running = pod("site-0", phase="Running", conditions=[{"type": "Ready", "status": "True"}])
    shown = text(
        obj(ready(False, "PodsNotAvailable"), progressing(True, "RollingOut")),
        [pod_view(running), pod_view(UNREADY)],
    )
    first, counts, conditions, pods = shown.split("\n\n")
    assert first.startswith("sidecarapp/site in namespace default: under way: PodsNotAvailable: told")
    assert counts.splitlines()[1].split() == ["3", "3", "-", "2", "-", "-", "site-abc"]
    assert [line.split()[0] for line in conditions.splitlines()] == ["CONDITION", "Ready", "Progressing"]
    assert pods.splitlines()[1].split(maxsplit=3) == [
        "site-1",
        "0/1",
        "ImagePullBackOff",
        "container web: no such image",
    ]


def test_the_data_is_what_the_text_says() -> None:
    found = data(obj(ready(False, "PodsNotAvailable")), [pod_view(UNREADY)])
    assert (found["rollout"], found["readyReplicas"]) == ("under way", 2)
    assert [p["uid"] for p in found["podsNotReady"]] == ["uid-of-site-1"]
