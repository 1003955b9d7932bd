"""A Pod leaves its Services before its application restarts in place, and comes back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from podpatterns.compose.labels import IN_SERVICE
from podpatterns.replicas import Plan, Pod, SetInService, Wanted, observe
from podpatterns.replicas.drain import in_service
from testbed.builders import NOW, old, pod, unready, wanted
from tests.unit.replicas.deciding import NOTHING, decide, doing

DRAINS: dict[str, Any] = {
    "in_place": frozenset({"old"}),
    "restart_application": frozenset({"old"}),
    "drain_seconds": 5,
}
OUT: dict[str, Any] = {"in_service": False, "ready_since": None}

DEFERRED: dict[str, Any] = {"settling": True, "resize_pending": "Deferred", "resize_pending_since": NOW}


def out(name: str, since: float | None, **fields: Any) -> Pod:
    return old(name, out_of_service_since=since, **{**OUT, **fields})


def what(decided: Plan) -> tuple[list[str], list[str], list[str]]:
    """Names updated, taken out of their Services, and put into them."""
    changes = decided.service_changes
    return (
        [u.name for u in decided.updates],
        [c.name for c in changes if not c.in_service],
        [c.name for c in changes if c.in_service],
    )


TABLE = [
    ("it leaves its Services first", [old("site-0", in_service=True)], ([], ["site-0"], []), None),
    ("it is out for a while", [out("site-0", NOW - 2)], ([], [], []), 3),
    ("and no longer, by a clock that is ahead", [out("site-0", NOW + 99)], ([], [], []), 5),
    ("then it is updated", [out("site-0", NOW - 5)], (["site-0"], [], []), None),
    ("one that never was in them is updated at once", [out("site-0", None)], (["site-0"], [], []), None),
    (
        "while its container restarts it stays out",
        [pod("site-0", **OUT, restarting=True)],
        ([], [], []),
        None,
    ),
    ("until its node has taken note", [pod("site-0", **OUT, settling=True)], ([], [], []), None),
    ("until its node has begun to resize it", [pod("site-0", **OUT, **DEFERRED)], ([], [], []), 60),
    ("then it comes back", [pod("site-0", **OUT)], ([], [], ["site-0"]), None),
    ("a new one joins its Services", [unready("site-0", in_service=False)], ([], [], ["site-0"]), None),
    ("a finished one does not", [pod("site-0", **OUT, terminating=True)], ([], [], []), None),
    ("one of them at a time", [old("site-0", in_service=True), out("site-1", NOW - 1)], ([], [], []), 4),
]


@pytest.mark.parametrize(("pods", "expected", "wake_after"), [pytest.param(*r[1:], id=r[0]) for r in TABLE])
def test_drain(pods: list[Pod], expected: tuple[list[str], ...], wake_after: float | None) -> None:
    decided = decide(wanted(len(pods), **DRAINS), pods)
    assert what(decided) == expected
    assert doing(decided) == NOTHING
    assert decided.wake_after == wake_after


@pytest.mark.parametrize(
    "want",
    [
        pytest.param(Wanted("site", 1, "old", drain_seconds=5), id="taken back"),
        pytest.param(wanted(1, **DRAINS, paused=True), id="paused"),
        pytest.param(wanted(1, **DRAINS, partition=1), id="kept away by the partition"),
        pytest.param(wanted(1, holds=True, paused=True), id="held at the last good revision"),
    ],
)
def test_an_update_that_is_called_off_puts_the_pod_back(want: Wanted) -> None:
    assert what(decide(want, [out("site-0", NOW - 2)])) == ([], [], ["site-0"])


@pytest.mark.parametrize("keeps", [{"paused": True}, {"partition": 1}, {"update": "OnDelete"}])
@pytest.mark.parametrize(
    ("pending", "comes_back", "wake_after"),
    [
        ({"resize_pending_since": NOW - 10}, [], 50),
        ({"resize_pending_since": NOW - 60}, ["site-0"], None),
        ({"resize_pending": "Infeasible"}, ["site-0"], None),
    ],
)
def test_a_pod_that_is_not_resized_does_not_stay_out(
    keeps: dict[str, Any], pending: dict[str, Any], comes_back: list[str], wake_after: float | None
) -> None:
    decided = decide(wanted(1, **DRAINS, **keeps), [pod("site-0", **OUT, **{**DEFERRED, **pending})])
    assert (what(decided), doing(decided)) == (([], [], comes_back), NOTHING)
    assert decided.wake_after == wake_after


def test_a_helper_restarts_without_drain() -> None:
    want = wanted(1, in_place=frozenset({"old"}), drain_seconds=5)
    assert what(decide(want, [old("site-0", in_service=True)])) == (["site-0"], [], [])


def test_a_pod_without_the_gate_is_replaced() -> None:
    assert doing(decide(wanted(1, **DRAINS), [old("site-0")])) == (["site-0"], [])


def test_a_draining_pod_is_not_available_though_it_still_says_so() -> None:
    there = [old("site-0", in_service=True), out("site-1", NOW - 1, ready_since=NOW - 900)]
    assert what(decide(wanted(2, **DRAINS), there)) == ([], [], [])
    failing = [old("site-0", in_service=True), unready("site-1", in_service=True)]
    assert what(decide(wanted(2, **DRAINS), failing)) == ([], [], []), "the other is all that is left"
    failing = [old("site-0", in_service=True), old("site-1", in_service=True, ready_since=None)]
    assert what(decide(wanted(2, **DRAINS), failing)) == ([], ["site-1"], []), "the unavailable first"


def test_no_change_while_updates_are_refused() -> None:
    there = [unready("site-0", in_service=False)]
    assert decide(wanted(1), there, updates_after=3) == Plan(wake_after=3, held_back=True)
    assert what(decide(wanted(1), there, creates_after=3)) == ([], [], ["site-0"]), "Pods that are there join"


def test_no_pod_leaves_for_an_update_that_has_to_wait() -> None:
    there = [old("site-0", in_service=True)]
    decided = decide(wanted(2, **DRAINS, max_unavailable=2), there, creates_after=3)
    assert (decided.service_changes, decided.wake_after, decided.held_back) == ((), 3, True)


def live(**condition: str) -> dict[str, Any]:
    conditions = [{"type": IN_SERVICE, **condition}] if condition else []
    return {
        "metadata": {"name": "site-0", "uid": "u", "resourceVersion": "7"},
        "spec": {"containers": [], "readinessGates": [{"conditionType": IN_SERVICE}]},
        "status": {"phase": "Running", "conditions": conditions},
    }


def test_the_gate_is_read_from_the_pod() -> None:
    assert observe({**live(), "spec": {}}).in_service is None
    assert observe(live()).in_service is False
    assert observe(live(status="True")).in_service is True
    left = observe(live(status="False", lastTransitionTime="2026-01-01T00:00:00Z"))
    expected = datetime.fromisoformat("2026-01-01T00:00:00Z").timestamp()
    assert (left.in_service, left.out_of_service_since) == (False, expected)
    assert observe(live(status="False", lastTransitionTime="soon")).out_of_service_since is None


def test_the_time_of_leaving_is_never_too_early() -> None:
    condition = in_service(SetInService("site-0", "u", in_service=False), 1000.2)
    assert (condition["type"], condition["status"]) == (IN_SERVICE, "False")
    assert datetime.fromisoformat(condition["lastTransitionTime"]).timestamp() == 1001
