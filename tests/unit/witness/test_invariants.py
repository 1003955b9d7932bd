from __future__ import annotations

from typing import Any

from e2e.witness import invariants
from e2e.witness.change import Change
from e2e.witness.invariants import Invariants


class History:
    """Changes one after the other, and the rules that each broke."""

    def __init__(self) -> None:
        self._invariants = Invariants()
        self._version = 0

    def change(self, kind: Any, obj: dict[str, Any]) -> list[str]:
        self._version += 1
        return [v.rule for v in self._invariants.observe(Change(kind, self._version, obj))]

    def site(
        self, generation: int = 1, *, observed: int = 0, uid: str = "A", event: str = "MODIFIED", **spec: Any
    ) -> None:
        obj = {
            "kind": "SidecarApp",
            "metadata": {"namespace": "ns", "name": "site", "uid": uid, "generation": generation},
            "spec": {"replicas": 1, "template": {}, **spec},
            "status": {"observedGeneration": observed} if observed else {},
        }
        assert self.change(event, obj) == []

    def pod(self, name: str, *, uid: str = "", event: str = "ADDED", **facts: Any) -> list[str]:
        return self.change(event, pod(name, uid or name, **facts))


def pod(
    name: str,
    uid: str,
    *,
    owner: str | None = "A",
    phase: str = "Running",
    labelled: str = "site",
    deleted: bool = False,
) -> dict[str, Any]:
    reference = {
        "apiVersion": "podpatterns.dev/v1alpha1",
        "kind": "SidecarApp",
        "name": "site",
        "uid": owner,
        "controller": True,
    }
    return {
        "kind": "Pod",
        "metadata": {
            "namespace": "ns",
            "name": name,
            "uid": uid,
            "labels": {"podpatterns.dev/kind": "SidecarApp", "podpatterns.dev/name": labelled},
            **({"ownerReferences": [reference]} if owner else {}),
            **({"deletionTimestamp": "2026-01-01T00:00:00Z"} if deleted else {}),
        },
        "status": {"phase": phase},
    }


def test_as_many_as_wanted() -> None:
    history = History()
    history.site(replicas=2)
    assert history.pod("site-0") == []
    assert history.pod("site-1") == []


def test_one_too_many() -> None:
    history = History()
    history.site(replicas=1, podNaming="Generated")
    assert history.pod("site-a") == []
    assert history.pod("site-b") == [invariants.LIMIT]


def test_surge_is_rounded_up_and_for_generated_names_only() -> None:
    history = History()
    history.site(replicas=1, podNaming="Generated", updateStrategy={"maxSurge": "10%"})
    assert history.pod("site-a") == []
    assert history.pod("site-b") == []
    assert history.pod("site-c") == [invariants.LIMIT]


def test_terminating_and_finished_pods_do_not_count() -> None:
    history = History()
    history.site(replicas=1, podNaming="Generated")
    history.pod("site-a")
    history.pod("site-a", event="MODIFIED", deleted=True)
    assert history.pod("site-b") == []
    history.pod("site-b", event="MODIFIED", phase="Failed")
    assert history.pod("site-c") == []


def test_a_relabelled_pod_does_not_count() -> None:
    history = History()
    history.site(replicas=1, podNaming="Generated")
    history.pod("site-a")
    history.pod("site-a", event="MODIFIED", labelled="other")
    assert history.pod("site-b") == []


def test_an_older_spec_is_an_excuse_until_a_newer_one_was_observed() -> None:
    history = History()
    history.site(1, observed=1, replicas=3)
    history.pod("site-0")
    history.site(2, observed=1, replicas=1)
    assert history.pod("site-1") == []
    history.site(2, observed=2, replicas=1)
    assert history.pod("site-2") == [invariants.NAME, invariants.LIMIT]


def test_names() -> None:
    history = History()
    history.site(replicas=2)
    assert history.pod("site-abcde") == [invariants.NAME]
    assert history.pod("site-01") == [invariants.NAME]


def test_a_uid_that_never_was() -> None:
    history = History()
    history.site(uid="A")
    assert history.pod("site-0", owner="B") == [invariants.CONTROLLER]


def test_labels_of_another_object() -> None:
    history = History()
    history.site()
    assert history.pod("site-0", labelled="other") == [invariants.CONTROLLER]


def test_a_pod_for_a_uid_that_is_gone() -> None:
    history = History()
    history.site(uid="A")
    history.site(uid="A", event="DELETED")
    assert history.pod("site-0", owner="A") == [], "nobody can know that yet"
    history.pod("site-0", event="DELETED")
    history.site(uid="B")
    assert history.pod("site-0", uid="2", owner="A") == [], "still not"
    history.pod("site-0", uid="2", event="DELETED")
    history.site(uid="B", observed=1)
    assert history.pod("site-0", uid="3", owner="A") == [invariants.SUCCESSOR]


def test_orphans_change_hands_and_others_do_not() -> None:
    history = History()
    history.site(uid="A")
    history.pod("site-0", owner="A")
    assert history.pod("site-0", event="MODIFIED", owner=None) == []
    assert history.pod("site-0", event="MODIFIED", owner="B") == []
    assert history.pod("site-0", event="MODIFIED", owner="C") == [invariants.PASSED_ON]


def test_what_was_there_before_is_not_judged() -> None:
    history = History()
    history.site(replicas=1)
    assert history.pod("site-0", event="LISTED") == []
    assert history.pod("site-1", event="LISTED") == []


def test_the_story_is_told() -> None:
    history = Invariants()
    [violation] = history.observe(Change("ADDED", 7, pod("site-0", "1")))
    assert violation.story == ("7 ADDED Pod site-0 1 of A: Running",)
