"""Work that ends, by tables: what is counted, what is made again, and when it is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest

from podpatterns.api import Status
from podpatterns.api.bounds import FAILED_PODS, INDEXES
from podpatterns.replicas import Plan, Pod, Wanted, observe
from podpatterns.replicas.completion import tally
from podpatterns.replicas.failure import internal_error, refused
from podpatterns.replicas.observed import Observed
from podpatterns.replicas.status import app_status
from podpatterns.replicas.work import Work, ordinals, ranges
from testbed.builders import NOW, failed, pod, sidecarapp, template, terminating, unready, wanted
from tests.unit.replicas.deciding import GENERATED, NOTHING, decide, doing

LONG = 1_000.0
"""Seconds, more than the deadline."""


def done(name: str, **fields: Any) -> Pod:
    return unready(name, phase="Succeeded", ends=True, **fields)


def works(replicas: int = 3, **fields: Any) -> Wanted:
    return wanted(replicas, **{"runs_to_completion": True, "work": Work("new"), **fields})


def counted(*pods: Pod, **fields: Any) -> Work:
    return Work("new", failed=len(pods), failed_pods=frozenset(p.uid for p in pods), **fields)


FAILED = failed("site-0")
OVER = {"work": Work("new", failed=7, exceeded=True)}
ONE_GONE = {"work": Work("new", succeeded=1, completed=frozenset({0}))}

PLANS: list[tuple[str, Wanted, list[Pod], tuple[list[str], list[str]]]] = [
    ("a Pod that has succeeded stays", works(2), [done("site-0"), pod("site-1")], NOTHING),
    ("a failed one stays until it is counted", works(1), [FAILED], NOTHING),
    ("then it makes room", works(1, work=counted(FAILED)), [FAILED], (["site-0"], [])),
    ("generated: it is counted first, too", works(1, **GENERATED), [FAILED], NOTHING),
    ("generated", works(1, work=counted(FAILED), **GENERATED), [FAILED], (["site-0"], ["site-fresh0"])),
    (
        "one of another revision is not counted",
        works(1),
        [failed("site-0", revision="old")],
        (["site-0"], []),
    ),
    ("what is done and gone is not made again", works(2, **ONE_GONE), [], ([], ["site-1"])),
    (
        "nor while its Pod is terminating",
        works(2, **ONE_GONE),
        [done("site-0", terminating=True), pod("site-1")],
        NOTHING,
    ),
    ("generated: as many as are gone", works(3, work=Work("new", 2), **GENERATED), [], ([], ["site-fresh0"])),
    ("scale up", works(2, **ONE_GONE), [pod("site-1")], NOTHING),
    (
        "scale down takes the highest, done or not",
        works(1),
        [pod("site-0"), done("site-1")],
        (["site-1"], []),
    ),
    (
        "generated: scale down takes what is not done",
        works(1, **GENERATED),
        [done("site-a"), pod("site-b"), done("site-c", created=NOW)],
        (["site-b", "site-c"], []),
    ),
    ("a new revision runs it again", works(1), [done("site-0", revision="old")], (["site-0"], [])),
    (
        "under the update strategy",
        works(3),
        [done(f"site-{i}", revision="old") for i in range(3)],
        (["site-2"], []),
    ),
    (
        "which goes on when the new one runs",
        works(3),
        [*(done(f"site-{i}", revision="old") for i in range(2)), pod("site-2")],
        (["site-1"], []),
    ),
    ("or is done", works(2), [done("site-0", revision="old"), done("site-1")], (["site-0"], [])),
    ("and waits while it starts", works(2), [done("site-0", revision="old"), unready("site-1")], NOTHING),
    ("paused", works(1, paused=True), [done("site-0", revision="old")], NOTHING),
    (
        "surge: a new one before a finished one goes",
        works(1, **GENERATED, max_unavailable=0, max_surge=1),
        [done("site-a", revision="old")],
        ([], ["site-fresh0"]),
    ),
    (
        "failed work ends what runs and keeps what has ended",
        works(3, **OVER),
        [FAILED, pod("site-1"), done("site-2")],
        (["site-1"], []),
    ),
    ("and makes nothing", works(3, **OVER), [], NOTHING),
    ("it is scaled down", works(1, **OVER), [FAILED, failed("site-1")], (["site-1"], [])),
    ("generated", works(1, **OVER, **GENERATED), [FAILED, done("site-a")], (["site-0"], [])),
    (
        "a pause keeps what is done though its successors are servers",
        works(2, paused=True, runs_to_completion=False, work=Work("old", 2, frozenset({0, 1}))),
        [done("site-0", revision="old")],
        NOTHING,
    ),
    (
        "so does a partition",
        works(2, partition=1, runs_to_completion=False),
        [done("site-0", revision="old"), pod("site-1")],
        NOTHING,
    ),
    (
        "else they take its place under the update strategy",
        works(2, runs_to_completion=False),
        [done("site-0", revision="old"), done("site-1", revision="old")],
        (["site-1"], []),
    ),
    ("servers know nothing of it", wanted(1, **OVER), [FAILED], (["site-0"], [])),
]


@pytest.mark.parametrize(("want", "pods", "expected"), [pytest.param(*r[1:], id=r[0]) for r in PLANS])
def test_plans(want: Wanted, pods: list[Pod], expected: tuple[list[str], list[str]]) -> None:
    assert doing(decide(want, pods)) == expected


def test_a_finished_pod_gets_no_update_in_place_and_no_new_configuration() -> None:
    want = works(1, in_place=frozenset({"old"}), configuration="b")
    assert [d.name for d in decide(want, [done("site-0", revision="old")]).deletes] == ["site-0"]
    assert decide(want, [done("site-0", configuration="a")]).refreshes == ()


TALLIES: list[tuple[str, Wanted, list[Pod], dict[str, Any]]] = [
    ("nothing yet", works(), [pod("site-0"), unready("site-1")], {}),
    ("a success", works(), [done("site-1")], {"succeeded": 1, "completed": {1}}),
    (
        "one of a Pod that has another order",
        works(work=Work("new", 1, frozenset({1}))),
        [done("site-1", revision="old")],
        {"succeeded": 1, "completed": {1}},
    ),
    ("one beyond replicas", works(1), [done("site-1")], {}),
    ("one of another revision", works(), [done("site-1", revision="old")], {}),
    ("a failure", works(), [FAILED], {"failed": 1, "failed_pods": {FAILED.uid}}),
    ("the same failure", works(work=counted(FAILED)), [FAILED], {"failed": 1, "failed_pods": {FAILED.uid}}),
    ("its Pod is gone", works(work=counted(FAILED)), [], {"failed": 1, "failed_pods": set()}),
    ("it is on its way", works(work=counted(FAILED)), [terminating("site-0", phase="Failed")], {"failed": 1}),
    ("somebody deleted it", works(), [failed("site-0", terminating=True)], {}),
    ("as many as allowed", works(work=Work("new", failed=6)), [], {"failed": 6}),
    ("one more", works(work=Work("new", failed=6)), [FAILED], {"failed": 7, "exceeded": True}),
    ("no retry", works(backoff_limit=0), [FAILED], {"failed": 1, "exceeded": True}),
    ("restarts", works(retries=True), [pod("a", retries=3), pod("b", retries=3)], {"exceeded": False}),
    ("too many", works(retries=True), [pod("a", retries=3), pod("b", retries=4)], {"exceeded": True}),
    ("of what has ended", works(retries=True), [done("site-0", retries=9)], {"succeeded": 1}),
    ("of what isn't restarted but by us", works(), [pod("a", retries=9)], {"exceeded": False}),
    ("for good", works(work=Work("new", exceeded=True)), [], {"exceeded": True}),
]


@pytest.mark.parametrize(("want", "pods", "expected"), [pytest.param(*r[1:], id=r[0]) for r in TALLIES])
def test_tallies(want: Wanted, pods: list[Pod], expected: dict[str, Any]) -> None:
    found = tally(want, pods)
    assert {name: getattr(found, name) for name in expected} == expected
    if not expected:
        assert found == want.work


def test_failed_pods_that_a_finalizer_keeps_leave_room_for_others() -> None:
    held = [terminating(f"site-{i}", phase="Failed") for i in range(FAILED_PODS)]
    found = tally(works(200, work=counted(*held)), [*held, failed("site-150")])
    assert found.failed == FAILED_PODS + 1
    assert found.failed_pods == {"uid-of-site-150"}


def test_a_record_is_read_as_it_was_written() -> None:
    work = Work("r1", 3, frozenset({0, 1, 4}), 2, frozenset({"a", "b"}), exceeded=True)
    assert work.record()["work"]["completedIndexes"] == "0-1,4"
    assert Work.recorded(work.record(), "r1") == work
    assert Work.recorded(work.record(), "r2") == Work("r2"), "another revision's work begins anew"
    assert Work.recorded(work.record(), "r2", paused=True) == work
    assert Work.recorded({}, "r1") == Work("r1"), "a lost status is a fresh start"
    assert Work.recorded(
        {"work": {"revision": "r1", "completedIndexes": "x,3-", "succeeded": "?"}}, "r1"
    ) == (Work("r1", completed=frozenset({3})))


HOSTILE: list[dict[str, Any]] = [
    {"failed": -5, "work": {"succeeded": -1}},
    {"failed": "x", "work": {"succeeded": [], "failedPods": 5, "completedIndexes": 7}},
    {"work": {"failedPods": {"a": 1}, "backoffLimitExceeded": "no"}},
    {"work": {"failedPods": [None, 3]}},
]


@pytest.mark.parametrize("status", HOSTILE)
def test_a_record_that_makes_no_sense_is_none(status: dict[str, Any]) -> None:
    status = {**status, "work": {**status["work"], "revision": "r1"}}
    assert Work.recorded(status, "r1") == Work("r1")


def test_each_ordinal_is_read_once() -> None:
    """A status of 8 KB that anybody wrote takes no longer than one of 100,000 Pods."""
    told = ",".join(["0-99999"] * 1_000 + ["5-3", "0-999999"])
    assert list(islice(ordinals(told), 100_001)) == list(range(100_000))
    assert list(ordinals("7,2-5,4-6,3,0-1")) == [*range(8)]


def test_a_record_is_bounded() -> None:
    told = ranges(range(0, 100_000, 2))
    assert len(told) <= INDEXES
    assert set(ordinals(told)) <= set(range(0, 100_000, 2))
    assert ranges(range(100_000)) == "0-99999"


def container(name: str, restarts: int) -> dict[str, Any]:
    return {"name": name, "restartCount": restarts}


def test_retries_are_restarts_of_what_is_to_end() -> None:
    sidecar, init = {"name": "helper", "restartPolicy": "Always"}, {"name": "init"}
    found = observe(
        {
            "metadata": {
                "annotations": {"podpatterns.dev/updated-containers": '{"web":{"id":"a","image":"b"}}'}
            },
            "spec": {"initContainers": [sidecar, init], "containers": [{"name": "web"}]},
            "status": {
                "initContainerStatuses": [container("helper", 5), container("init", 1)],
                "containerStatuses": [container("web", 3)],
            },
        }
    )
    assert (found.restarts, found.retries) == (9, 3)


def status_of(
    pods: Sequence[Pod], *, previous: dict[str, Any] | None = None, now: float = NOW, **spec: Any
) -> dict[str, Any]:
    """The status of three Pods' work, after `previous`."""
    revision = spec.pop("revision", "new")
    app = sidecarapp(**{"replicas": 3, "template": template(restartPolicy="OnFailure"), **spec})
    status = app_status(app, Wanted.of(app, revision), Observed(pods, (), None, now), previous or {})
    assert Status.model_validate(status).manifest() == status
    return status


def judged(status: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {c["type"]: (c["status"], c["reason"]) for c in status["conditions"]}


RUNNING = [pod(f"site-{i}") for i in range(3)]
DONE = [done(f"site-{i}") for i in range(3)]


def test_work_is_ready_while_it_runs_and_when_it_is_complete() -> None:
    running = status_of(RUNNING)
    assert judged(running)["Ready"] == ("True", "PodsAvailable")
    assert "Complete" not in judged(running)
    mixed = status_of([DONE[0], *RUNNING[1:]], previous=running, now=NOW + LONG)
    assert judged(mixed)["Ready"] == ("True", "PodsAvailable")
    assert judged(mixed)["Progressing"] == ("True", "RevisionComplete")
    assert judged(mixed)["Available"][0] == "True"
    assert (mixed["succeeded"], mixed["failed"]) == (1, 0)
    assert (mixed["replicas"], mixed["updatedReplicas"], mixed["readyPods"]) == (3, 3, "2/3")
    complete = status_of(DONE, previous=mixed)
    assert judged(complete)["Complete"] == ("True", "CompletionsReached")
    assert judged(complete)["Ready"] == ("True", "CompletionsReached")
    assert judged(complete)["Available"][0] == "True"
    ready = next(c for c in complete["conditions"] if c["type"] == "Ready")
    assert ready["message"] == "3 of 3 Pods have succeeded"
    assert complete["currentRevision"] == complete["updateRevision"]
    gone = status_of(DONE[1:], previous=complete)
    assert judged(gone)["Complete"] == ("True", "CompletionsReached"), "its work is done all the same"
    assert gone["succeeded"] == 3
    assert status_of(DONE[1:], previous=gone) == gone
    assert "Complete" not in judged(status_of(DONE, previous=complete, replicas=4))
    assert judged(status_of(DONE[:2], previous=complete, replicas=2))["Complete"][0] == "True"
    assert "Complete" not in judged(status_of([], previous=complete, replicas=0))


def test_another_revision_is_other_work() -> None:
    complete = status_of(DONE)
    begun = status_of(DONE, previous=complete, revision="next")
    assert "Complete" not in judged(begun)
    assert begun["succeeded"] == 0
    assert judged(begun)["Ready"] == ("False", "RollingOut")
    paused = status_of(DONE, previous=complete, revision="next", updateStrategy={"paused": True})
    assert judged(paused)["Complete"][0] == "True", "the work before has been done"
    assert paused["work"] == complete["work"]
    server: dict[str, Any] = {"template": template(), "updateStrategy": {"paused": True}}
    then = status_of(DONE[1:], previous=complete, revision="next", **server)
    assert then["work"] == complete["work"]


def test_a_pause_amid_an_update_completes_no_work() -> None:
    """Nor does an error for which the Pods are kept as they are: when it goes on, Pods are created."""
    half = [DONE[0], done("site-1", revision="old"), done("site-2", revision="old")]
    begun = status_of(half)
    assert begun["succeeded"] == 1
    paused = status_of(half, previous=begun, updateStrategy={"paused": True})
    app = sidecarapp(replicas=3, template=template(restartPolicy="OnFailure"))
    holding = Wanted.holding(app, "new", app.spec.template or {})
    held = app_status(app, holding, Observed(half, (), None, NOW, error=internal_error(KeyError("any"))), {})
    for status in (paused, held):
        assert "Complete" not in judged(status)
        assert status["succeeded"] == 1


@pytest.mark.parametrize("unwritten", ["", "newer"])
@pytest.mark.parametrize("over", ["Complete", "Failed"])
def test_work_of_the_last_good_revision_is_not_what_the_object_asks_for(over: str, unwritten: str) -> None:
    pods = DONE if over == "Complete" else [failed("site-0"), *DONE[1:]]
    before = status_of(pods, backoffLimit=0)
    assert judged(before)[over][0] == "True"
    app = sidecarapp(replicas=3, template=template(restartPolicy="OnFailure"), backoffLimit=0)
    holding = replace(Wanted.holding(app, "new", app.spec.template or {}), unwritten=unwritten)
    error = refused("Forbidden", "ControllerRevision: exceeded quota")
    held = app_status(app, holding, Observed(pods, (), None, NOW, error=error), before)
    assert judged(held)["Ready"] == ("False", "Forbidden")
    assert judged(held).keys().isdisjoint({"Complete", "Failed", "Stalled"})
    assert held["work"] == before["work"], "what was done stays done"


def test_another_order_is_the_same_work() -> None:
    """The record goes on under the new revision, and finished Pods only get its label."""
    before = [done("site-0", revision="old"), done("site-1", revision="old")]
    status = {"failed": 2, "work": {"revision": "old", "succeeded": 3, "completedIndexes": "0-2"}}
    work = Work.recorded(status, "new", unchanged={"old"})
    assert work == Work("new", 3, frozenset({0, 1, 2}), 2)
    for update in ("InPlaceIfPossible", "Recreate"):
        want = works(3, work=work, update=update, unchanged=frozenset({"old"}), max_unavailable=3)
        todo = decide(want, before)
        assert doing(todo) == NOTHING
        assert [u.name for u in todo.updates] == ["site-1", "site-0"]
    assert tally(want, before) == work
    uncounted = failed("site-2", revision="old")
    assert doing(decide(replace(want, work=Work("new")), [uncounted])) == ([], ["site-0", "site-1"])
    assert tally(want, [uncounted]).failed == 3
    over = replace(want, work=replace(work, exceeded=True))
    assert decide(over, before) == Plan(), "failed work stays so"
    app = sidecarapp(replicas=3, template=template(restartPolicy="Never"))
    want = replace(Wanted.of(app, "new"), unchanged=frozenset({"old"}))
    told = app_status(app, want, Observed(before, (), None, NOW), status)
    assert judged(told)["Complete"][0] == "True"
    assert told["succeeded"] == 3


def test_what_is_done_counts_for_a_partition() -> None:
    strategy: dict[str, Any] = {"updateStrategy": {"partition": 1}}
    old = done("site-0", revision="old")
    reached = status_of([old, *DONE[1:]], **strategy)
    assert judged(reached)["Ready"] == ("True", "CompletionsReached")
    gone = status_of([old, DONE[2]], previous=reached, **strategy)
    assert judged(gone)["Progressing"] == ("True", "PartitionReached")
    assert judged(gone)["Ready"] == ("True", "CompletionsReached")


@pytest.mark.parametrize(
    "waiting", [FAILED, unready("site-0", reason="CrashLoopBackOff")], ids=["Pod", "container"]
)
def test_a_pod_that_has_run_exceeds_no_deadline(waiting: Pod) -> None:
    begun = status_of([waiting, *RUNNING[1:]])
    later = status_of([waiting, *RUNNING[1:]], previous=begun, now=NOW + LONG)
    assert judged(later)["Progressing"] == ("True", "RevisionComplete")
    assert judged(later)["Ready"] == ("False", "PodsNotAvailable")


def test_a_pod_that_never_runs_does() -> None:
    waiting = unready("site-0", phase="Pending", reason="Unschedulable")
    begun = status_of([waiting, *RUNNING[1:]])
    later = status_of([waiting, *RUNNING[1:]], previous=begun, now=NOW + LONG)
    assert judged(later)["Stalled"] == ("True", "ProgressDeadlineExceeded")


def test_failed_work_is_stalled_until_it_is_changed() -> None:
    six = {**status_of(RUNNING), "failed": 6}
    over = status_of([FAILED, *RUNNING[1:]], previous=six)
    assert over["failed"] == 7
    for kind in ("Failed", "Stalled"):
        assert judged(over)[kind] == ("True", "BackoffLimitExceeded")
    for kind in ("Ready", "Progressing"):
        assert judged(over)[kind] == ("False", "BackoffLimitExceeded")
    ended = status_of([FAILED], previous=over)
    assert judged(ended)["Failed"] == judged(over)["Failed"]
    assert status_of([FAILED], previous=ended, now=NOW + LONG) == ended
    assert "Failed" in judged(status_of([FAILED], previous=ended, backoffLimit=100)), "it has ended its Pods"
    corrected = status_of([FAILED], previous=ended, revision="next")
    assert "Failed" not in judged(corrected)
    assert judged(corrected)["Progressing"] == ("True", "RollingOut")
    assert corrected["failed"] == 0


def test_a_server_has_no_counts_of_work() -> None:
    app = sidecarapp(template=template())
    status = app_status(app, Wanted.of(app, "new"), Observed([pod("site-0")], (), None, NOW), {})
    assert not {"succeeded", "failed", "work"} & status.keys()
    assert replace(Wanted.of(app, "new"), name="").runs_to_completion is False


def test_terminating_pods_are_nobodys_success() -> None:
    assert status_of([terminating("site-0", phase="Succeeded")])["succeeded"] == 0
