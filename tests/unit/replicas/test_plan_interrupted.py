"""The planner where an update is paused, was broken off or can't begin: Pods come back as they were."""

from __future__ import annotations

import pytest

from podpatterns.replicas import Plan
from testbed.builders import failed, old, pod, terminating, wanted
from tests.unit.replicas.deciding import GENERATED, decide, doing

BETWEEN = [
    ("on its way to the newest revision it is finished", "old", "new", (["site-0"], [])),
    ("on its way to another it is replaced", "old", "other", ([], ["site-0"])),
    ("and so it is though its label says that it is the newest", "new", "other", ([], ["site-0"])),
]


@pytest.mark.parametrize(
    ("revision", "between", "expected"), [pytest.param(*r[1:], id=r[0]) for r in BETWEEN]
)
def test_a_pod_between_two_revisions(
    revision: str, between: str, expected: tuple[list[str], list[str]]
) -> None:
    there = [pod("site-0", revision=revision, between=between)]
    decided = decide(wanted(1, in_place=frozenset({"old", "new"})), there)
    assert ([u.name for u in decided.updates], [d.name for d in decided.deletes]) == expected
    assert decide(wanted(1, paused=True), there) == Plan()


LOST = [
    ("as it was: the newest", {"site-0": "new"}, "new"),
    ("as it was: the one before", {"site-0": "old"}, "old"),
    ("as it was: one of which it is known how it is made", {"site-0": "older"}, "older"),
    ("one of which it isn't", {"site-0": "unknown"}, "old"),
    ("one that nobody remembers", {}, "old"),
]


@pytest.mark.parametrize(("lost", "expected"), [pytest.param(*r[1:], id=r[0]) for r in LOST])
@pytest.mark.parametrize("naming", ["Stable", "Generated"])
def test_while_paused_a_pod_comes_back_as_it_was(naming: str, lost: dict[str, str], expected: str) -> None:
    want = wanted(1, naming=naming, paused=True, held_revision="old", known=frozenset({"older"}))
    assert [c.revision for c in decide(want, [], lost=lost).creates] == [expected]


def test_a_terminating_pod_tells_its_revision_itself() -> None:
    want = wanted(2, paused=True, held_revision="old", **GENERATED)
    assert [c.revision for c in decide(want, [terminating("site-a"), old("site-b")]).creates] == ["new"]
    both = [terminating("site-a"), failed("site-b")]
    assert [c.revision for c in decide(want, both, lost={"site-a": "old", "site-b": "new"}).creates] == [
        "old",
        "new",
    ]


def test_below_the_partition_a_pod_comes_back_as_it_was_before_the_update() -> None:
    """As StatefulSet's does, whatever it was in between."""
    want = wanted(1, partition=1, held_revision="old")
    assert [c.revision for c in decide(want, [], lost={"site-0": "new"}).creates] == ["old"]


def test_an_object_that_can_not_be_composed_is_held_as_it_was() -> None:
    want = wanted(3, holds=True, paused=True, configuration="")
    there = [old("site-0"), pod("site-1", configuration="of-the-newest")]
    decided = decide(want, there, lost={"site-2": "old"})
    assert [(c.name, c.revision) for c in decided.creates] == [("site-2", "new")]
    assert (decided.deletes, decided.updates, decided.refreshes) == ((), (), ())
    assert doing(decide(wanted(1, holds=True, paused=True), there)) == (["site-1"], [])
    assert doing(decide(want, [failed("site-0")])) == (["site-0"], ["site-1", "site-2"])


def test_held_pods_keep_their_names_whatever_names_are_wanted_now() -> None:
    generated = [pod("site-abcde"), pod("site-fghjk")]
    want = wanted(2, holds=True, paused=True)
    assert decide(want, generated) == Plan()
    assert doing(decide(want, [pod("site-0"), pod("site-7")])) == (["site-7"], ["site-1"]), "scaling goes on"
