"""What Ready and Available say, and for how long Progressing speaks of a rollout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from podpatterns.api.conditions import Reason
from podpatterns.replicas import Pod, Wanted
from podpatterns.replicas.failure import Failure
from podpatterns.replicas.observed import Observed
from podpatterns.replicas.pod import timestamp
from podpatterns.replicas.status import app_status
from testbed.builders import NOW, old, pod, sidecarapp, template, unready

LONG = 1_000.0
"""Seconds, more than the deadline."""
SURGE: dict[str, Any] = {"podNaming": "Generated", "updateStrategy": {"maxSurge": 1, "maxUnavailable": 0}}


def status_of(
    pods: Sequence[Pod],
    *,
    previous: dict[str, Any] | None = None,
    failure: Failure | None = None,
    now: float = NOW,
    revision: str = "new",
    **spec: Any,
) -> dict[str, Any]:
    app = sidecarapp(**{"replicas": 3, "template": template(), "progressDeadlineSeconds": 600, **spec})
    return app_status(app, Wanted.of(app, revision), Observed(pods, (), failure, now), previous or {})


def judged(status: dict[str, Any], kind: str) -> tuple[str, str]:
    return next(((c["status"], c["reason"]) for c in status["conditions"] if c["type"] == kind), ("", ""))


def message(status: dict[str, Any], kind: str) -> str:
    return str(next(c["message"] for c in status["conditions"] if c["type"] == kind))


def pods(*made: Any) -> list[Pod]:
    """Pods, each made by the builder in its place."""
    return [make(f"site-{i}") for i, make in enumerate(made)]


def starting(name: str) -> Pod:
    return unready(name, reason="ImagePullBackOff")


@pytest.mark.parametrize(
    ("case", "found", "spec", "expected"),
    [
        ("all new", pods(pod, pod, pod), {}, ("True", "PodsAvailable")),
        ("one is missing", pods(pod, pod), {}, ("False", "PodsNotAvailable")),
        ("one is old", pods(old, pod, pod), {}, ("False", "RollingOut")),
        ("surge, one new", pods(old, old, old, pod), SURGE, ("False", "RollingOut")),
        ("surge, a bad image", pods(old, old, old, starting), SURGE, ("False", "RollingOut")),
        ("surge, an old one is left", pods(old, pod, pod, pod), SURGE, ("False", "RollingOut")),
        ("more than wanted", pods(pod, pod, pod, pod), {}, ("False", "SurplusPods")),
        ("paused", pods(old, old, pod), {"updateStrategy": {"paused": True}}, ("False", "Paused")),
        ("paused when complete", pods(pod, pod, pod), {"updateStrategy": {"paused": True}}, ("True", "")),
        ("OnDelete", pods(old, old, pod), {"updateStrategy": {"type": "OnDelete"}}, ("True", "")),
        ("partition reached", pods(old, old, pod), {"updateStrategy": {"partition": 2}}, ("True", "")),
        ("partition not reached", pods(old, old, pod), {"updateStrategy": {"partition": 1}}, ("False", "")),
        ("a restart in place", pods(pod, pod, lambda n: pod(n, settling=True)), {}, ("False", "RollingOut")),
        ("no replicas", [], {"replicas": 0}, ("True", "PodsAvailable")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_ready_means_that_what_is_written_is_what_runs(
    case: str, found: list[Pod], spec: dict[str, Any], expected: tuple[str, str]
) -> None:
    status, reason = judged(status_of(found, **spec), "Ready")
    assert (status, reason) == (expected[0], expected[1] or reason), case


def test_a_held_rollout_says_what_holds_it() -> None:
    partition = status_of(pods(old, old, pod), updateStrategy={"partition": 2})
    assert message(partition, "Ready") == (
        "3 of 3 Pods are available; spec.updateStrategy.partition keeps 2 at the old one"
    )
    paused = status_of(pods(old, old, pod), updateStrategy={"paused": True})
    assert message(paused, "Ready") == (
        "3 of 3 Pods are available; spec.updateStrategy.paused is true; 1 of 3 Pods have the newest revision"
    )


def test_pods_that_may_not_be_deleted_are_told() -> None:
    denied = Failure(Reason.FORBIDDEN, 'pods "site-2" is forbidden: no deletions in here')
    status = status_of(pods(pod, pod, pod), failure=denied, replicas=1)
    assert judged(status, "Ready") == ("False", "Forbidden")
    assert message(status, "Ready") == f"3 Pods are available, 1 wanted; {denied.message}"
    assert judged(status, "Available")[0] == "True"


@pytest.mark.parametrize(
    ("replicas", "available", "strategy", "expected"),
    [
        (4, 3, {"maxUnavailable": "25%"}, "True"),
        (4, 2, {"maxUnavailable": "25%"}, "False"),
        (4, 3, {"maxUnavailable": 0, "maxSurge": 1}, "False"),
        (3, 1, {"maxUnavailable": 2}, "True"),
        (1, 0, {}, "False"),
        (3, 0, {"maxUnavailable": "100%"}, "False"),
        (0, 0, {}, "True"),
    ],
)
def test_available_is_the_minimum_and_at_least_one(
    replicas: int, available: int, strategy: dict[str, Any], expected: str
) -> None:
    """Old Pods count: they serve as well."""
    found = pods(*[old] * available, *[starting] * (replicas - available))
    naming = "Generated" if "maxSurge" in strategy else "Stable"
    status = status_of(found, replicas=replicas, updateStrategy=strategy, podNaming=naming)
    assert judged(status, "Available")[0] == expected


LOST: list[tuple[str, list[Pod], dict[str, Any]]] = [
    ("a Pod is lost", pods(pod, pod), {}),
    ("a Pod gets unready", pods(pod, pod, unready), {}),
    ("all are lost", [], {}),
    ("it is scaled up", pods(pod, pod, pod), {"replicas": 5}),
    ("a new Pod does not start", pods(pod, pod, pod, starting, starting), {"replicas": 5}),
    ("somebody else resizes a Pod", pods(pod, pod, lambda name: pod(name, settling=True)), {}),
]


@pytest.mark.parametrize(("case", "found", "spec"), LOST, ids=[case for case, *_ in LOST])
def test_what_happens_after_a_rollout_exceeds_no_deadline(
    case: str, found: list[Pod], spec: dict[str, Any]
) -> None:
    complete = status_of(pods(pod, pod, pod))
    after = status_of(found, previous=complete, now=NOW + LONG, **spec)
    later = status_of(found, previous=after, now=NOW + 2 * LONG, **spec)
    for status in (after, later):
        assert judged(status, "Progressing") == ("True", "RevisionComplete"), case
        assert judged(status, "Stalled") == ("", ""), case
    assert later["lastProgressTime"] == after["lastProgressTime"]


def test_a_rollout_that_is_stuck_exceeds_it_whatever_is_scaled_meanwhile() -> None:
    complete = status_of(pods(pod, pod, pod))
    start = status_of(pods(old, old, starting), previous=complete, revision="next")
    assert judged(start, "Progressing")[1] == "RollingOut"
    new = [pod(f"site-{i}", revision="next", ready_since=None) for i in range(2, 5)]
    begun = status_of([*pods(pod, pod), new[0]], previous=start, revision="next")
    up = status_of([*pods(pod, pod), *new], previous=begun, now=NOW + 590, revision="next", replicas=5)
    down = status_of([*pods(pod, pod), new[0]], previous=up, now=NOW + 595, revision="next")
    assert down["lastProgressTime"] == timestamp(NOW)
    stuck = status_of([*pods(pod, pod), new[0]], previous=down, now=NOW + 600, revision="next")
    assert judged(stuck, "Progressing") == ("False", "ProgressDeadlineExceeded")
    assert judged(stuck, "Stalled") == ("True", "ProgressDeadlineExceeded")
    assert message(stuck, "Stalled") == message(stuck, "Progressing")


def test_a_corrected_rollout_is_stalled_no_more() -> None:
    begun = status_of(pods(old, old, starting))
    stuck = status_of(pods(old, old, starting), previous=begun, now=NOW + LONG)
    assert judged(stuck, "Stalled")[0] == "True"
    next_one = status_of(pods(old, old, old), previous=stuck, now=NOW + LONG, revision="next")
    assert judged(next_one, "Progressing") == ("True", "RollingOut")
    assert judged(next_one, "Stalled") == ("", "")


def test_the_first_rollout_can_be_stuck_too() -> None:
    begun = status_of(pods(starting, starting, starting), previous={"observedGeneration": -1})
    stuck = status_of(pods(starting, starting, starting), previous=begun, now=NOW + LONG)
    assert judged(stuck, "Stalled")[0] == "True"


def test_work_that_is_done_is_not_stuck() -> None:
    spec: dict[str, Any] = {"template": template(restartPolicy="Never"), "replicas": 2}
    done = pods(lambda name: pod(name, phase="Succeeded", ends=True, ready_since=None), pod)
    begun = status_of(pods(starting, starting), **spec)
    status = status_of(done, previous=begun, now=NOW + LONG, **spec)
    assert judged(status, "Progressing") == ("True", "RevisionComplete")
    assert judged(status, "Stalled") == ("", "")


def test_a_pod_of_another_revision_begins_a_rollout() -> None:
    """Somebody's orphan was adopted."""
    complete = status_of(pods(pod, pod, pod))
    begun = status_of(pods(pod, pod, old), previous=complete, now=NOW + LONG)
    assert judged(begun, "Progressing") == ("True", "RollingOut")
    assert begun["lastProgressTime"] == timestamp(NOW + LONG)


@pytest.mark.parametrize("strategy", [{"paused": True}, {"type": "OnDelete"}, {"partition": 2}], ids=str)
def test_a_held_rollout_writes_nothing_and_exceeds_nothing(strategy: dict[str, Any]) -> None:
    held = status_of(pods(old, old, pod), updateStrategy=strategy)
    assert status_of(pods(old, old, pod), previous=held, now=NOW + LONG, updateStrategy=strategy) == held
