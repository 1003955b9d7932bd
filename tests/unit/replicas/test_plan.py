"""The planner, by tables: what is wanted, what is there, what is to be done."""

from __future__ import annotations

import pytest

from podpatterns.replicas import Limits, Plan, Pod, Wanted, backoff_after, plan
from podpatterns.replicas.actions import MOST_AT_ONCE
from testbed.builders import NOW, REVISION, failed, old, pod, terminating, unready, wanted
from tests.unit.replicas.deciding import GENERATED, NOTHING, decide, doing, fresh

STABLE = [
    ("from nothing", wanted(3), [], ([], ["site-0", "site-1", "site-2"])),
    ("all there", wanted(2), [pod("site-0"), pod("site-1")], NOTHING),
    ("a gap in the middle", wanted(3), [pod("site-0"), pod("site-2")], ([], ["site-1"])),
    (
        "scale down takes the highest",
        wanted(1),
        [pod("site-0"), pod("site-1"), pod("site-2")],
        (["site-2", "site-1"], []),
    ),
    ("scale to zero", wanted(0), [pod("site-0")], (["site-0"], [])),
    ("a name is held until its Pod is gone", wanted(1), [terminating("site-0")], NOTHING),
    ("a failed Pod is cleared away first", wanted(1), [failed("site-0")], (["site-0"], [])),
    ("then its name is free", wanted(1), [], ([], ["site-0"])),
    (
        "a succeeded Pod of a server is replaced",
        wanted(1),
        [pod("site-0", phase="Succeeded")],
        (["site-0"], []),
    ),
    (
        "a Pod that ran to completion stays",
        wanted(2, runs_to_completion=True),
        [pod("site-0", phase="Succeeded", ends=True), pod("site-1")],
        NOTHING,
    ),
    (
        "a rollout begins at the highest index",
        wanted(3),
        [old("site-0"), old("site-1"), old("site-2")],
        (["site-2"], []),
    ),
    ("and waits for the new Pod", wanted(3), [old("site-0"), old("site-1"), unready("site-2")], NOTHING),
    (
        "and goes on when it is available",
        wanted(3),
        [old("site-0"), old("site-1"), pod("site-2")],
        (["site-1"], []),
    ),
    (
        "the unavailable are replaced first",
        wanted(3),
        [old("site-0", ready_since=None), old("site-1"), old("site-2")],
        (["site-0"], []),
    ),
    (
        "a bad revision does not spread past maxUnavailable, even over broken Pods",
        wanted(3),
        [old("site-0", ready_since=None), old("site-1", ready_since=None), unready("site-2")],
        NOTHING,
    ),
    (
        "a correction replaces the bad Pod at once",
        wanted(3),
        [old("site-0"), old("site-1"), unready("site-2", revision="bad")],
        (["site-2"], []),
    ),
    (
        "maxUnavailable 2",
        wanted(3, max_unavailable=2),
        [old("site-0"), old("site-1"), old("site-2")],
        (["site-2", "site-1"], []),
    ),
    (
        "partition keeps the low indexes",
        wanted(3, partition=2),
        [old("site-0"), old("site-1"), pod("site-2")],
        NOTHING,
    ),
    ("paused", wanted(1, paused=True), [old("site-0")], NOTHING),
    ("OnDelete", wanted(1, update="OnDelete"), [old("site-0")], NOTHING),
    ("paused still repairs", wanted(2, paused=True), [old("site-0")], ([], ["site-1"])),
    (
        "generated names give way to stable ones, one by one",
        wanted(2),
        [pod("site-abcde"), pod("site-fghjk")],
        (["site-abcde"], ["site-0"]),
    ),
    ("an index with a leading zero is no slot", wanted(1), [pod("site-00")], (["site-00"], ["site-0"])),
]

GENERATED_TABLE = [
    ("from nothing", wanted(2, **GENERATED), [], ([], ["site-fresh0", "site-fresh1"])),
    (
        "a terminating Pod is replaced at once",
        wanted(1, **GENERATED),
        [terminating("site-a")],
        ([], ["site-fresh0"]),
    ),
    (
        "or when it is gone, with policy Failed",
        wanted(1, **GENERATED, replacement="Failed"),
        [terminating("site-a")],
        NOTHING,
    ),
    (
        "a failed Pod is replaced and cleared away",
        wanted(1, **GENERATED),
        [failed("site-a")],
        (["site-a"], ["site-fresh0"]),
    ),
    (
        "scale down: not scheduled, then not ready, then the cheapest, then the youngest",
        wanted(1, **GENERATED),
        [
            pod("site-old", ready_since=NOW - 900),
            pod("site-young", ready_since=NOW - 10),
            pod("site-cheap", deletion_cost=-1),
            unready("site-unready"),
            pod("site-pending", node="", phase="Pending", ready_since=None),
        ],
        (["site-pending", "site-unready", "site-cheap", "site-young"], []),
    ),
    (
        "surge: a new one before an old one goes",
        wanted(2, **GENERATED, max_unavailable=0, max_surge=1),
        [old("site-a"), old("site-b")],
        ([], ["site-fresh0"]),
    ),
    (
        "surge: wait for it",
        wanted(2, **GENERATED, max_unavailable=0, max_surge=1),
        [old("site-a"), old("site-b"), unready("site-n")],
        NOTHING,
    ),
    (
        "surge: then one old one, and the next new one",
        wanted(2, **GENERATED, max_unavailable=0, max_surge=1),
        [old("site-a", created=NOW - 2000), old("site-b"), pod("site-n")],
        (["site-a"], ["site-fresh0"]),
    ),
    (
        "surge: the last old one goes alone",
        wanted(2, **GENERATED, max_unavailable=0, max_surge=1),
        [old("site-b"), pod("site-n"), pod("site-m")],
        (["site-b"], []),
    ),
    (
        "surge waits while paused",
        wanted(2, **GENERATED, max_unavailable=0, max_surge=1, paused=True),
        [old("site-a"), old("site-b")],
        NOTHING,
    ),
    (
        "partition keeps that many",
        wanted(2, **GENERATED, partition=1),
        [old("site-a"), pod("site-n")],
        NOTHING,
    ),
    ("stable names are as good as any", wanted(2, **GENERATED), [pod("site-0"), pod("site-1")], NOTHING),
]


IN_PLACE = {"in_place": frozenset({"old"})}

UPDATES = [
    ("in place: the highest index first", wanted(2, **IN_PLACE), [old("site-0"), old("site-1")], ["site-1"]),
    (
        "in place: wait for the container that restarts, though the Pod says it is ready",
        wanted(2, **IN_PLACE),
        [old("site-0"), pod("site-1", restarting=True)],
        [],
    ),
    (
        "in place: wait for the node to carry out new resources",
        wanted(2, **IN_PLACE),
        [old("site-0"), pod("site-1", settling=True)],
        [],
    ),
    (
        "in place: then the next",
        wanted(2, **IN_PLACE),
        [old("site-0"), pod("site-1")],
        ["site-0"],
    ),
    (
        "in place: as many at once as may be unavailable",
        wanted(3, max_unavailable=2, **IN_PLACE),
        [old("site-0"), old("site-1"), old("site-2")],
        ["site-2", "site-1"],
    ),
    (
        "in place: a container that doesn't come up is corrected at once",
        wanted(2, in_place=frozenset({"old", "bad"})),
        [old("site-0"), unready("site-1", revision="bad", restarting=True)],
        ["site-1"],
    ),
    (
        "in place: Recreate too, where the Pods are the same",
        wanted(1, update="Recreate", unchanged=frozenset({"old"}), **IN_PLACE),
        [old("site-0")],
        ["site-0"],
    ),
    ("in place: paused", wanted(1, paused=True, **IN_PLACE), [old("site-0")], []),
    (
        "in place: what was begun goes first",
        wanted(3, **IN_PLACE),
        [old("site-0", between="new"), old("site-1"), old("site-2")],
        ["site-0"],
    ),
    (
        "in place: what was begun waits for what is unavailable",
        wanted(3, **IN_PLACE),
        [old("site-0", between="new"), old("site-1", ready_since=None), old("site-2")],
        ["site-1"],
    ),
    (
        "in place, generated: nobody has to stand in",
        wanted(2, **GENERATED, **IN_PLACE, max_surge=1),
        [old("site-a"), old("site-b")],
        ["site-a"],
    ),
]

STUCK = {"resize_pending": "Infeasible", "settling": True}
DEFERRED = {**STUCK, "resize_pending": "Deferred"}
NO_ROOM = "Node didn't have enough capacity"

IMPOSSIBLE = [
    (
        "what its node can't do",
        wanted(1),
        [pod("site-0", **STUCK, reason="ResizeInfeasible", message=NO_ROOM)],
        [("site-0", f"ResizeInfeasible: {NO_ROOM}")],
        None,
    ),
    (
        "what its node puts off for longer than may be",
        wanted(1, resize_timeout=30),
        [pod("site-0", **DEFERRED, resize_pending_since=NOW - 30)],
        [("site-0", "ResizeDeferred")],
        None,
    ),
    (
        "not what its node puts off for a while",
        wanted(1, resize_timeout=30),
        [pod("site-0", **DEFERRED, resize_pending_since=NOW - 20)],
        [],
        10,
    ),
    (
        "what the API server refused",
        wanted(1, **IN_PLACE, refused={"uid-of-site-0": "Invalid: QoS"}),
        [old("site-0")],
        [("site-0", "Invalid: QoS")],
        None,
    ),
    (
        "as many as may be unavailable",
        wanted(3),
        [pod(f"site-{i}", **STUCK) for i in range(3)],
        [("site-2", "ResizeInfeasible")],
        None,
    ),
    ("not while paused", wanted(1, paused=True), [pod("site-0", **STUCK)], [], None),
    ("not below the partition", wanted(1, partition=1), [pod("site-0", **STUCK)], [], None),
    (
        "not what is brought to amounts that may be possible",
        wanted(1, **IN_PLACE),
        [old("site-0", **STUCK)],
        [],
        None,
    ),
]


@pytest.mark.parametrize(
    ("want", "pods", "expected", "wake_after"), [pytest.param(*r[1:], id=r[0]) for r in IMPOSSIBLE]
)
def test_what_is_not_possible_in_place_is_replaced(
    want: Wanted, pods: list[Pod], expected: list[tuple[str, str]], wake_after: float | None
) -> None:
    decided = decide(want, pods)
    assert [(d.name, d.message) for d in decided.deletes] == expected
    assert {d.reason for d in decided.deletes} <= {"Outdated"}
    assert decided.wake_after == wake_after


def test_with_surge_a_new_pod_comes_before_one_that_is_stuck_goes() -> None:
    want = wanted(1, **GENERATED, max_unavailable=0, max_surge=1)
    assert doing(decide(want, [pod("site-a", **STUCK)])) == ([], ["site-fresh0"])
    assert doing(decide(want, [pod("site-a", **STUCK), pod("site-b")])) == (["site-a"], [])


def test_a_configuration_that_a_pause_holds_is_brought_into_no_pod() -> None:
    want = wanted(1, paused=True, configuration="b", configuration_held=True)
    assert decide(want, [pod("site-0", configuration="a")]) == Plan()


REFRESHES = [
    ("another configuration is brought in", "new", "b", ["site-0"]),
    ("the same one is not", "new", "a", []),
    ("one that is to be updated gets it afterwards", "old", "b", []),
]


@pytest.mark.parametrize(
    ("revision", "configuration", "expected"), [pytest.param(*r[1:], id=r[0]) for r in REFRESHES]
)
def test_a_configuration_that_has_changed(revision: str, configuration: str, expected: list[str]) -> None:
    there = [
        pod("site-0", revision=revision, configuration="a"),
        pod("site-1", revision=revision, configuration=""),
    ]
    decided = decide(wanted(2, paused=True, configuration=configuration), there)
    assert [r.name for r in decided.refreshes] == expected


HELD = [
    ("below the partition", wanted(2, partition=1, held_revision="old"), [], ["old", "new"]),
    ("while paused", wanted(2, paused=True, held_revision="old"), [old("site-0")], ["old"]),
    ("no revision from before is known", wanted(1, partition=1), [], ["new"]),
    (
        "with generated names as many as are missing",
        wanted(3, **GENERATED, partition=2, held_revision="old"),
        [old("site-a")],
        ["old", "new"],
    ),
    ("OnDelete gives the newest", wanted(1, update="OnDelete", held_revision="old"), [], ["new"]),
]


@pytest.mark.parametrize(("want", "pods", "expected"), [pytest.param(*r[1:], id=r[0]) for r in UPDATES])
def test_updates_in_place(want: Wanted, pods: list[Pod], expected: list[str]) -> None:
    decided = decide(want, pods)
    assert [u.name for u in decided.updates] == expected
    assert doing(decided) == NOTHING


@pytest.mark.parametrize(("want", "pods", "expected"), [pytest.param(*r[1:], id=r[0]) for r in HELD])
def test_pods_that_an_update_is_kept_away_from_come_back_as_they_were(
    want: Wanted, pods: list[Pod], expected: list[str]
) -> None:
    assert [c.revision for c in decide(want, pods).creates] == expected


def test_a_surge_stands_in_where_no_pod_may_be_missing_even_for_a_moment() -> None:
    want = wanted(1, **GENERATED, **IN_PLACE, max_unavailable=0, max_surge=1)
    assert doing(decide(want, [old("site-a")])) == ([], ["site-fresh0"])
    decided = decide(want, [old("site-a"), pod("site-n")])
    assert ([u.name for u in decided.updates], doing(decided)) == (["site-a"], NOTHING)


@pytest.mark.parametrize(("want", "pods", "expected"), [pytest.param(*r[1:], id=r[0]) for r in STABLE])
def test_stable_names(want: Wanted, pods: list[Pod], expected: tuple[list[str], list[str]]) -> None:
    assert doing(decide(want, pods)) == expected


@pytest.mark.parametrize(
    ("want", "pods", "expected"), [pytest.param(*r[1:], id=r[0]) for r in GENERATED_TABLE]
)
def test_generated_names(want: Wanted, pods: list[Pod], expected: tuple[list[str], list[str]]) -> None:
    assert doing(decide(want, pods)) == expected


def test_a_pod_that_fails_at_once_rests_before_it_is_replaced() -> None:
    young = failed("site-0", created=NOW - 4)
    assert decide(wanted(1), [young]) == Plan(wake_after=6)
    assert decide(wanted(1, **GENERATED), [young]) == Plan(wake_after=6)


def test_failures_in_a_row_rest_longer_each_time_up_to_five_minutes() -> None:
    assert [backoff_after(n) for n in (0, 1, 2, 5, 1000)] == [10, 20, 40, 300, 300]
    died = failed("site-0", created=NOW - 30)
    assert plan(wanted(1), [died], NOW, fresh(), Limits(backoff_after(2))) == Plan(wake_after=10)


def test_available_means_ready_for_long_enough() -> None:
    want = wanted(2, min_ready_seconds=30)
    waiting = decide(want, [old("site-0"), pod("site-1", ready_since=NOW - 10)])
    assert waiting == Plan(wake_after=20)
    assert doing(decide(want, [old("site-0"), pod("site-1", ready_since=NOW - 30)])) == (["site-0"], [])


def test_every_delete_tells_why() -> None:
    pods = [old("site-0"), failed("site-1"), pod("site-5")]
    assert {d.name: d.reason for d in decide(wanted(2), pods).deletes} == {
        "site-1": "Failed",
        "site-5": "ScaledDown",
    }
    assert [d.reason for d in decide(wanted(1), [old("site-0")]).deletes] == ["Outdated"]


SURGE = {"naming": "Generated", "max_unavailable": 0, "max_surge": 2}
NO_ROLLOUT = [
    ("paused", wanted(3, paused=True, **SURGE)),
    ("OnDelete", wanted(3, update="OnDelete", **SURGE)),
    ("a partition that nothing is left beyond", wanted(3, partition=5, **SURGE)),
]


@pytest.mark.parametrize("want", [pytest.param(*r[1:], id=r[0]) for r in NO_ROLLOUT])
def test_a_surge_stays_only_while_a_rollout_goes_on(want: Wanted) -> None:
    there = [old(f"site-{i}") for i in range(5)]
    decided = decide(want, there)
    assert [d.reason for d in decided.deletes] == ["ScaledDown", "ScaledDown"]
    assert decided.creates == ()


def test_a_surge_stays_while_one_does() -> None:
    there = [*(old(f"site-{i}") for i in range(3)), *(pod(f"site-n{i}", ready_since=None) for i in range(2))]
    assert decide(wanted(3, **SURGE), there) == Plan()


def test_a_name_that_is_somebody_elses_keeps_no_other_slot_empty() -> None:
    assert doing(decide(wanted(3), [], taken_names={"site-1"})) == ([], ["site-0", "site-2"])
    assert doing(decide(wanted(1), [], taken_names={"site-0"})) == NOTHING
    assert doing(decide(wanted(2), [pod("site-0"), pod("site-1")], taken_names={"site-1"})) == NOTHING


@pytest.mark.parametrize("naming", ["Stable", "Generated"])
def test_one_plan_creates_and_deletes_a_bounded_number(naming: str) -> None:
    many = MOST_AT_ONCE + 100
    first = decide(wanted(many, naming=naming), [])
    assert len(first.creates) == MOST_AT_ONCE
    there = [pod(f"site-{i}") for i in range(many)]
    assert len(decide(wanted(0, naming=naming), there).deletes) in range(MOST_AT_ONCE, many)
    dead = [failed(f"site-{i}") for i in range(many)]
    assert len(decide(wanted(many, naming=naming), dead).deletes) == MOST_AT_ONCE
    outdated = [old(f"site-{i}") for i in range(many)]
    assert len(decide(wanted(many, naming=naming, max_unavailable=many), outdated).deletes) == MOST_AT_ONCE


def test_time_alone_makes_no_restarting_pod_available() -> None:
    """A wait that has been over already would make the next plan at once, and so on for ever."""
    restarting = pod("site-0", restarting=True)
    for seconds in (0, 5):
        assert decide(wanted(1, min_ready_seconds=seconds), [restarting]) == Plan()
    assert decide(wanted(1), [pod("site-0", ready_since=NOW + 60)]) == Plan(), "a clock that is ahead"


ORDERED = [
    ("the lowest first", wanted(3, ordered=True), [], ([], ["site-0"])),
    ("the next waits", wanted(3, ordered=True), [unready("site-0")], NOTHING),
    ("until that is available", wanted(3, ordered=True), [pod("site-0")], ([], ["site-1"])),
    ("a gap is filled first", wanted(3, ordered=True), [pod("site-0"), pod("site-2")], ([], ["site-1"])),
    ("not over an unhealthy one", wanted(3, ordered=True), [unready("site-0"), pod("site-2")], NOTHING),
    ("nor over a missing one", wanted(3, ordered=True), [terminating("site-0")], NOTHING),
    (
        "one that is done counts",
        wanted(2, ordered=True, runs_to_completion=True),
        [pod("site-0", phase="Succeeded", ends=True)],
        ([], ["site-1"]),
    ),
    (
        "the highest goes first, whatever is unhealthy",
        wanted(1, ordered=True),
        [pod("site-0"), unready("site-1"), pod("site-2")],
        (["site-2"], []),
    ),
    (
        "and the next when that is gone",
        wanted(1, ordered=True),
        [pod("site-0"), pod("site-1"), terminating("site-2")],
        NOTHING,
    ),
    (
        "an outdated, unhealthy one is replaced, whoever waits for it",
        wanted(3, ordered=True),
        [old("site-0", ready_since=None)],
        (["site-0"], []),
    ),
    (
        "also where its place is not the first",
        wanted(3, ordered=True),
        [pod("site-0"), old("site-1", ready_since=None)],
        (["site-1"], []),
    ),
    (
        "those out of another range go one by one too",
        wanted(2, start=5, ordered=True, max_unavailable=2),
        [pod("site-0"), pod("site-1")],
        (["site-1"], ["site-5"]),
    ),
    (
        "a bad revision goes no further",
        wanted(3, ordered=True),
        [old("site-0"), old("site-1"), unready("site-2")],
        NOTHING,
    ),
]

START = [
    ("the first ordinal", wanted(2, start=5), [], ([], ["site-5", "site-6"])),
    ("those in range stay", wanted(2, start=5), [pod("site-5"), pod("site-6")], NOTHING),
    (
        "another range is taken within maxUnavailable",
        wanted(2, start=1),
        [pod("site-0"), pod("site-1")],
        (["site-0"], ["site-2"]),
    ),
    (
        "a partition counts from the first ordinal",
        wanted(2, start=5, partition=1),
        [old("site-5"), old("site-6")],
        (["site-6"], []),
    ),
]


@pytest.mark.parametrize(("what", "want", "pods", "todo"), [*ORDERED, *START], ids=lambda v: str(v)[:60])
def test_order_and_range(what: str, want: Wanted, pods: list[Pod], todo: tuple[list[str], list[str]]) -> None:
    assert doing(decide(want, pods)) == todo, what


def test_pods_out_of_range_were_scaled_down() -> None:
    [delete] = decide(wanted(2, start=1), [pod("site-0"), pod("site-1")]).deletes
    assert delete.reason == "ScaledDown"


def test_a_pod_below_the_partition_comes_back_as_it_was() -> None:
    want = wanted(2, start=5, partition=1, held_revision="old", known=frozenset({"old"}))
    assert [(c.name, c.revision) for c in decide(want, []).creates] == [
        ("site-5", "old"),
        ("site-6", REVISION),
    ]
