"""The state of an object from one reconcile to the next."""

from __future__ import annotations

from podpatterns.api.conditions import Reason
from podpatterns.controller.objectstate import LONGEST_TAKEN, STATUS_PAUSE, UNANSWERED_SECONDS, ObjectState
from podpatterns.replicas import Create, Delete
from podpatterns.replicas.failure import Failure
from testbed.builders import NOW, failed, pod, wanted

REFUSED = Failure(Reason.FORBIDDEN, "exceeded quota")
TAKEN = Failure(Reason.POD_NAME_TAKEN, 'a Pod "site-0" exists already')


def test_a_creation_without_an_answer_is_forgotten_once_it_shows_or_can_not_any_more() -> None:
    for pods, now in (([pod("site-3")], 1.0), ([], UNANSWERED_SECONDS)):
        state = ObjectState("uid")
        state.note_unanswered([Create("site-3", 3, "r")], now=0.0)
        assert state.limits(wanted(), [], 1, 0.5).unanswered == {
            "site-3": (Create("site-3", 3, "r"), UNANSWERED_SECONDS - 0.5)
        }
        assert not state.limits(wanted(), pods, 1, now).unanswered


def test_what_was_refused_limits_plans_for_a_while() -> None:
    state = ObjectState("uid")
    delay = state.pods.note(REFUSED, 1, now=0.0)
    assert state.limits(wanted(), [], 1, now=0.0).creates_after == delay
    assert state.limits(wanted(), [], 1, now=delay).creates_after == 0
    assert state.limits(wanted(), [], 2, now=0.0).creates_after == 0, "the object was corrected"
    assert state.failure == REFUSED, "until a creation succeeds"


def test_a_taken_name_is_left_out_for_a_while_and_tried_again_soon() -> None:
    state, three = ObjectState("uid"), wanted(replicas=3)
    for _ in range(20):
        state.note_taken({"site-0": TAKEN}, 1, now=0.0)
    assert state.taken == {"site-0": TAKEN}
    assert state.names_to_avoid(three, ["site-1"], 1, now=LONGEST_TAKEN - 0.1) == {"site-0"}
    assert state.names_to_avoid(three, ["site-1"], 1, now=LONGEST_TAKEN) == set()
    assert state.taken == {"site-0": TAKEN}, "until a Pod has the name"
    state.names_to_avoid(three, ["site-0"], 1, now=LONGEST_TAKEN)
    assert state.taken == {}
    state.note_taken({"site-2": TAKEN}, 1, now=0.0)
    state.names_to_avoid(wanted(replicas=2), [], 1, now=0.0)
    assert state.taken == {}, "nobody wants it any more"


def test_a_taken_name_that_may_be_tried_again_asks_for_no_reconcile() -> None:
    """It was not tried in this reconcile: creations wait for a quota, say."""
    state = ObjectState("uid")
    state.note_taken({"site-0": TAKEN}, 1, now=0.0)
    state.note_taken({"site-1": TAKEN}, 1, now=LONGEST_TAKEN)
    assert state.until_a_name_is_tried(1, now=0.0)
    assert state.until_a_name_is_tried(1, now=LONGEST_TAKEN)
    assert state.until_a_name_is_tried(1, now=2 * LONGEST_TAKEN) is None


def test_a_generated_name_is_not_tried_again() -> None:
    state = ObjectState("uid")
    state.note_taken({"site-0": TAKEN}, 1, now=0.0)
    assert state.names_to_avoid(wanted(naming="Generated"), [], 2, now=0.0) == set()
    assert state.taken == {}, "as a stable one it is not wanted any more"


def test_failures_of_another_revision_say_nothing_of_a_corrected_one() -> None:
    state = ObjectState("uid")
    assert state.failures_of("bad") == 0
    dead = failed("site-0", created=NOW - 20, finished_at=NOW - 19)
    state.carried_out([Delete(dead.name, dead.uid, "Failed", "bad")], [dead], [])
    assert state.failures_of("bad") == 1
    assert state.failures_of("good") == 0


def test_pods_that_fail_one_after_the_other_are_counted_until_one_lived_long() -> None:
    state = ObjectState("uid")
    for n in range(3):
        dead = failed(f"site-{n}", created=NOW - 20, finished_at=NOW - 19)
        state.carried_out([Delete(dead.name, dead.uid, "Failed", "r")], [dead], [dead])
        state.carried_out([], [dead], [])
    assert state.failed_pods == 3
    veteran = failed("site-9", created=NOW - 5000, finished_at=NOW - 19)
    state.carried_out([Delete(veteran.name, veteran.uid, "Failed", "r")], [veteran], [])
    assert state.failed_pods == 0


def test_the_status_of_an_object_in_motion_is_due_once_in_a_while() -> None:
    state, (shortest, longest) = ObjectState("uid"), STATUS_PAUSE
    assert state.status_may_wait(10.0, answer_time=0.01) == shortest
    assert state.status_may_wait(10.0 + shortest / 2, answer_time=0.01) == shortest / 2
    assert state.status_may_wait(10.0 + shortest, answer_time=0.01) == 0
    state.status_due = None
    assert shortest < state.status_may_wait(20.0, answer_time=0.2) < longest, "the API server is busy"
    state.status_due = None
    assert state.status_may_wait(30.0, answer_time=30) == longest


def test_why_a_pod_was_deleted_is_known_until_it_is_gone() -> None:
    state = ObjectState("uid")
    leaving = pod("site-0")
    state.carried_out([Delete(leaving.name, leaving.uid, "Outdated", "r")], [leaving], [leaving])
    state.carried_out([], [leaving], [leaving])
    assert state.deleted == {leaving.uid: "Outdated"}
    state.carried_out([], [leaving], [])
    assert state.deleted == {}
