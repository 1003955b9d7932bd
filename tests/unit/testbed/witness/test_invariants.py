from __future__ import annotations

from typing import Any

import pytest

from testbed.witness import invariants
from testbed.witness.change import Change
from testbed.witness.invariants import Invariants


class History:
    """Changes one after the other, and the rules that each broke."""

    def __init__(self, *taken_down: str) -> None:
        self._invariants = Invariants(taken_down)
        self._version = 0

    def change(self, kind: Any, obj: dict[str, Any]) -> list[str]:
        self._version += 1
        return [v.rule for v in self._invariants.observe(Change(kind, self._version, obj))]

    def site(
        self,
        generation: int = 1,
        *,
        observed: int = 0,
        ready: int | None = None,
        uid: str = "A",
        event: str = "MODIFIED",
        condition: str = "",
        **spec: Any,
    ) -> None:
        counts = ("replicas", "readyReplicas", "availableReplicas")
        status = {"observedGeneration": observed, **dict.fromkeys(counts, ready)} if observed else {}
        if condition:
            conditions = [{"type": condition, "status": "True", "reason": "Any"}]
            status |= {"conditions": conditions, "updateRevision": "site-r1"}
        obj = {
            "kind": "SidecarApp",
            "metadata": {"namespace": "ns", "name": "site", "uid": uid, "generation": generation},
            "spec": {"replicas": 1, "template": {}, **spec},
            "status": status,
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
    ready: bool = True,
    generation: int = 1,
    seen: int = 1,
    revision: str = "r1",
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
            "generation": generation,
            "labels": {
                "podpatterns.dev/kind": "SidecarApp",
                "podpatterns.dev/name": labelled,
                "podpatterns.dev/revision": revision,
            },
            **({"ownerReferences": [reference]} if owner else {}),
            **({"deletionTimestamp": "2026-01-01T00:00:00Z"} if deleted else {}),
        },
        "status": {
            "phase": phase,
            "observedGeneration": seen,
            "conditions": [{"type": "Ready", "status": str(ready)}],
        },
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
    history.site(uid="B", observed=-1)
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
    assert violation.trace == ("7 ADDED Pod site-0 1 of A: Running",)


def three_well(*taken_down: str, max_unavailable: int = 1) -> History:
    """Three Pods, of which the operator has said that they are healthy, and a newer revision to roll out."""
    history = History(*taken_down)
    spec: dict[str, Any] = {"replicas": 3, "updateStrategy": {"maxUnavailable": max_unavailable}}
    history.site(1, observed=1, ready=0, **spec)
    for index in range(3):
        history.pod(f"site-{index}")
    history.site(1, observed=1, ready=3, **spec)
    history.site(2, observed=2, ready=3, **spec)
    return history


def test_an_update_takes_down_no_more_than_it_may() -> None:
    history = three_well("site-1", "site-2")
    assert history.pod("site-2", event="MODIFIED", deleted=True) == []
    assert history.pod("site-1", event="MODIFIED", deleted=True) == [invariants.AVAILABLE]


def test_it_goes_on_when_the_successor_is_well() -> None:
    history = three_well("site-1", "site-2")
    history.pod("site-2", event="DELETED")
    history.pod("site-2", uid="new", ready=False)
    history.pod("site-2", uid="new", event="MODIFIED")
    assert history.pod("site-1", event="MODIFIED", deleted=True) == []


def test_what_others_take_down_is_not_the_operators_fault() -> None:
    history = three_well("site-2")
    assert history.pod("site-0", event="MODIFIED", deleted=True) == []
    assert history.pod("site-1", event="MODIFIED", ready=False) == []
    assert history.pod("site-2", event="DELETED") == []


def test_a_pod_that_became_well_unseen_is_no_loss() -> None:
    """The operator may have taken it down as one that was not."""
    history = three_well("site-0", "site-1")
    history.pod("site-0", event="MODIFIED", ready=False)
    history.pod("site-0", event="MODIFIED", ready=True)
    assert history.pod("site-1", event="MODIFIED", deleted=True) == []
    assert history.pod("site-0", event="MODIFIED", deleted=True) == []


def test_a_smaller_spec_is_an_excuse() -> None:
    history = three_well("site-1", "site-2")
    history.site(3, observed=2, ready=3, replicas=1)
    assert history.pod("site-2", event="DELETED") == []
    assert history.pod("site-1", event="DELETED") == []


def test_after_a_gap_nothing_is_known() -> None:
    history = three_well("site-0", "site-1", "site-2")
    for index in range(3):
        assert history.pod(f"site-{index}", event="UNLISTED") == []


def test_an_update_in_place_takes_a_pod_down_until_its_node_has_taken_note() -> None:
    history = three_well()
    assert history.pod("site-2", event="MODIFIED", generation=2) == []
    assert history.pod("site-1", event="MODIFIED", generation=2) == [invariants.AVAILABLE]


def test_it_goes_on_when_the_node_has_taken_note() -> None:
    history = three_well()
    history.pod("site-2", event="MODIFIED", generation=2)
    history.pod("site-2", event="MODIFIED", generation=2, seen=2)
    assert history.pod("site-1", event="MODIFIED", generation=2) == []


def test_a_deletion_is_no_new_spec_though_it_raises_the_generation() -> None:
    history = three_well()
    for name in ("site-2", "site-1"):
        assert history.pod(name, event="MODIFIED", generation=2, deleted=True) == []


def test_who_orphans_a_pod_is_not_who_deletes_it_later() -> None:
    history = three_well("site-1", "site-2")
    assert history.pod("site-2", event="MODIFIED", owner=None) == []
    assert history.pod("site-1", event="MODIFIED", owner=None) == []
    history.site(1, observed=1, ready=0, uid="B", replicas=1)
    history.pod("site-2", event="MODIFIED", owner="B")
    assert history.pod("site-2", event="MODIFIED", owner="B", deleted=True) == []


@pytest.mark.parametrize("condition", ["Complete", "Failed"])
def test_work_that_is_over_is_not_begun_again(condition: str) -> None:
    history = History()
    history.site(1, observed=1, replicas=2)
    assert history.pod("site-0", phase="Succeeded") == []
    history.site(1, observed=1, replicas=2, condition=condition)
    assert history.pod("site-1") == [invariants.OVER]
    history.pod("site-1", event="DELETED")
    assert history.pod("site-1", uid="r2", revision="r2") == [], "a part has changed"
    history.pod("site-1", uid="r2", event="DELETED", revision="r2")
    history.site(2, observed=1, replicas=2, condition=condition)
    assert history.pod("site-1", uid="new") == [], "somebody wants it otherwise"


def test_what_runs_is_ended_when_the_work_has_failed() -> None:
    history = three_well("site-0", "site-1", "site-2")
    history.site(2, observed=2, ready=3, replicas=3, condition="Failed")
    for index in range(3):
        assert history.pod(f"site-{index}", event="MODIFIED", deleted=True) == []


def test_an_error_of_the_operators_own() -> None:
    history = History()
    history.site(observed=1, condition="Ready")
    message = "KeyError: 'name'; the operator tries again"
    ready = {"type": "Ready", "status": "False", "reason": "InternalError", "message": message}
    told = {"observedGeneration": 1, "conditions": [ready, {**ready, "type": "Progressing"}]}
    meta = {"namespace": "ns", "name": "site", "uid": "A", "generation": 1}
    site = {"kind": "SidecarApp", "metadata": meta, "spec": {}, "status": told}
    assert history.change("MODIFIED", site) == [invariants.ERROR]


def claim(name: str, *owners: str) -> dict[str, Any]:
    labels = {"podpatterns.dev/kind": "SidecarApp", "podpatterns.dev/name": "site"}
    references = [{"uid": uid} for uid in owners]
    meta = {"namespace": "ns", "name": name, "uid": name, "labels": labels, "ownerReferences": references}
    return {"kind": "PersistentVolumeClaim", "metadata": meta}


def test_a_claim_to_be_retained_has_no_owner() -> None:
    history = History()
    history.site()
    history.pod("site-0")
    assert history.change("ADDED", claim("data-site-0")) == []
    assert history.change("MODIFIED", claim("data-site-0", "A")) == [invariants.RETAINED]
    assert history.change("MODIFIED", claim("data-site-0", "A")) == [], "it is told once"
    assert history.change("ADDED", claim("data-site-1", "site-0")) == [invariants.RETAINED]
    assert history.change("ADDED", claim("data-site-2", "somebody")) == []


def test_a_claim_has_an_owner_where_the_policy_asks_for_it() -> None:
    history = History()
    history.site(1, observed=1, persistentVolumeClaimRetentionPolicy={"whenDeleted": "Delete"})
    assert history.change("ADDED", claim("data-site-0", "A")) == []
    history.site(2, observed=1)
    assert history.change("ADDED", claim("data-site-1", "A")) == [], "the operator may be late"


def test_ordinals_begin_where_the_spec_says() -> None:
    history = History()
    history.site(replicas=2, ordinals={"start": 3})
    assert history.pod("site-4") == []
    assert history.pod("site-0") == [invariants.NAME]
