"""A plan without what has to wait."""

from __future__ import annotations

from podpatterns.replicas import Create, Delete, Limits, Plan, Refresh, Update
from podpatterns.replicas.limits import limited
from testbed.builders import wanted

LOST = Create("site-3", 3, "r")
DELETES = (Delete("site-2", "uid-2", "ScaledDown", "r"),)
UPDATES, REFRESHES = (Update("site-1", "uid-1", "old"),), (Refresh("site-0", "uid-0"),)


def creations(*names: str) -> tuple[Create, ...]:
    return tuple(Create(name, None, "r") for name in names)


def test_a_creation_without_an_answer_is_asked_for_again_before_any_other_name() -> None:
    limits = Limits(unanswered={"site-3": (LOST, 59.0)})
    generated, stable = wanted(replicas=5, naming="Generated"), wanted(replicas=5)
    others = creations("site-aaaaa", "site-bbbbb")
    assert limited(Plan(creates=others), generated, limits).creates == (LOST, others[0])
    assert limited(Plan(), generated, limits) == Plan(), "nothing is missing"
    anew = (Create("site-1", 1, "s"), Create("site-3", 3, "s"))
    assert limited(Plan(creates=anew), stable, limits).creates == (anew[1], anew[0])


def test_a_creation_without_an_answer_that_is_not_wanted_any_more_keeps_its_place() -> None:
    limits = Limits(unanswered={"site-1": (Create("site-1", 1, "r"), 59.0)})
    held = limited(Plan(creates=creations("site-0")), wanted(replicas=1), limits)
    assert held == Plan(wake_after=59.0, held_back=True)


def test_after_a_refused_creation_deletions_go_on_alone() -> None:
    todo = Plan(DELETES, UPDATES, REFRESHES, creations("site-0"), wake_after=7.0)
    held = limited(todo, wanted(), Limits(creates_after=5.0))
    assert held == Plan(DELETES, wake_after=5.0, held_back=True)


def test_after_a_refused_update_missing_pods_are_made() -> None:
    todo = Plan(DELETES, UPDATES, REFRESHES, creations("site-0"))
    held = limited(todo, wanted(), Limits(updates_after=5.0))
    assert held == Plan(DELETES, creates=todo.creates, wake_after=5.0, held_back=True)


def test_a_plan_is_complete_when_nothing_is_left_to_do_or_waits() -> None:
    assert limited(Plan(), wanted(), Limits(creates_after=5.0)).complete
    assert not limited(Plan(creates=creations("site-0")), wanted(), Limits(creates_after=5.0)).complete
    assert not Plan(deletes=DELETES).complete, "it may be the deletion that was refused"
