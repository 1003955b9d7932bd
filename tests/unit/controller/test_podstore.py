"""The cache of Pods: newest word wins, the dead stay dead, own writes are seen at once."""

from __future__ import annotations

from typing import Any

import pytest

from podpatterns.controller.key import Key
from podpatterns.controller.podstore import PodStore

SITE = Key("SidecarApp", "default", "site")


def raw(
    name: str = "site-0", version: int = 1, *, owner: str | None = "site", **metadata: Any
) -> dict[str, Any]:
    references = [
        {
            "apiVersion": "podpatterns.dev/v1alpha1",
            "kind": "SidecarApp",
            "name": owner,
            "uid": f"uid-of-{owner}",
            "controller": True,
        }
    ]
    return {
        "metadata": {
            "name": name,
            "namespace": "default",
            "uid": f"uid-of-{name}",
            "resourceVersion": str(version),
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "ownerReferences": references if owner else [],
            "labels": {"podpatterns.dev/kind": "SidecarApp", "podpatterns.dev/name": owner} if owner else {},
        }
    }


def names(store: PodStore, owner: str = "site") -> list[str]:
    return [pod.name for pod in store.of(Key("SidecarApp", "default", owner), f"uid-of-{owner}")]


def orphan(version: int = 1, **labels: str) -> dict[str, Any]:
    pod = raw(version=version, owner=None)
    pod["metadata"]["labels"] = {
        "podpatterns.dev/kind": "SidecarApp",
        "podpatterns.dev/name": "site",
        **labels,
    }
    return pod


def test_news_names_the_owner_and_no_news_names_nobody() -> None:
    store = PodStore()
    assert store.put(raw(version=5)) == {SITE}
    assert store.put(raw(version=5)) == set(), "the watch tells what the answer to our write told"
    assert store.put(raw(version=4)) == set(), "a stale list"
    assert store.put(raw(version=6) | {"status": {"phase": "Running"}}) == {SITE}
    assert names(store) == ["site-0"]


def test_a_change_of_what_nobody_looks_at_is_no_news() -> None:
    store = PodStore()
    store.put(raw(version=5))
    assert store.put(raw(version=6, annotations={"somebody.example/note": "here"})) == set()
    assert store.put(raw(version=7) | {"spec": {"nodeName": "node-1"}}) == set()
    assert [pod.resource_version for pod in store.of(SITE, "uid-of-site")] == [7]


def test_an_answer_that_comes_after_the_pod_was_deleted_raises_no_ghost() -> None:
    store = PodStore()
    assert store.remove("uid-of-site-0", 7) == set()
    assert store.put(raw(version=5)) == set()
    assert names(store) == []


def test_a_pod_whose_labels_left_and_came_back() -> None:
    store = PodStore()
    store.put(raw(version=5))
    assert store.remove("uid-of-site-0", 6) == {SITE}
    assert store.put(raw(version=7)) == {SITE}
    assert names(store) == ["site-0"]


def test_a_late_deletion_event_of_an_earlier_moment_does_nothing() -> None:
    store = PodStore()
    store.put(raw(version=9))
    assert store.remove("uid-of-site-0", 8) == set()
    assert names(store) == ["site-0"]


def test_a_sweep_removes_what_vanished_and_keeps_what_is_newer_than_the_list() -> None:
    store = PodStore()
    store.put(raw("site-0", 3))
    store.put(raw("site-1", 4))
    store.put(raw("site-2", 12))
    assert store.sweep([], 10, "another") == set(), "a list of another namespace"
    assert store.sweep(["uid-of-site-0"], 10, "default") == {SITE}
    assert store.sweep(["uid-of-site-0"], 10) == set()
    assert sorted(names(store)) == ["site-0", "site-2"]


def test_a_pod_that_changes_hands_is_news_for_both() -> None:
    store = PodStore()
    store.put(raw(version=1))
    assert store.put(raw(version=2, owner="blog")) == {SITE, Key("SidecarApp", "default", "blog")}
    assert (names(store), names(store, "blog")) == ([], ["site-0"])
    assert store.put(raw(version=3, owner=None)) == {Key("SidecarApp", "default", "blog")}
    assert len(store) == 0


def test_pods_of_other_controllers_are_none_of_ours() -> None:
    store = PodStore()
    pod = raw()
    pod["metadata"]["ownerReferences"][0].update(apiVersion="apps/v1", kind="ReplicaSet")
    assert store.put(pod) == set()
    assert len(store) == 0


def test_forgotten_by_word_of_the_server() -> None:
    store = PodStore()
    store.put(raw(version=5))
    store.forget("uid-of-site-0")
    store.forget("uid-of-nobody")
    assert names(store) == []
    # A watch that begins anew tells of what happened to it before.
    assert store.put(raw(version=6)) == set()
    assert names(store) == []


@pytest.mark.parametrize(
    ("terminating", "version", "left"),
    [(True, 6, ["site-0"]), (True, None, []), (False, 6, []), (False, None, [])],
)
def test_the_answer_to_a_deletion(terminating: bool, version: int | None, left: list[str]) -> None:
    store = PodStore()
    store.put(raw(version=5))
    answer = {**raw(version=version or 0), "kind": "Pod"}
    if terminating:
        answer["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    if version is None:
        del answer["metadata"]["resourceVersion"]
    store.put_deleted("uid-of-site-0", answer)
    assert names(store) == left


def test_the_answer_to_a_deletion_may_be_a_status() -> None:
    store = PodStore()
    store.put(raw(version=5))
    store.put_deleted("uid-of-site-0", {"kind": "Status", "metadata": {}, "status": "Success"})
    assert names(store) == []


def test_an_orphan_is_news_for_the_object_that_its_labels_name() -> None:
    store = PodStore()
    store.put(raw(version=1))
    assert store.put(orphan(2)) == {SITE}
    assert names(store) == []
    assert [p.name for p in store.orphans(SITE)] == ["site-0"]
    store.put(raw(version=3))
    assert (names(store), store.orphans(SITE)) == (["site-0"], [])


def test_a_pod_whose_labels_name_another_is_out_of_view() -> None:
    store = PodStore()
    store.put(raw(version=1))
    relabelled = raw(version=2)
    relabelled["metadata"]["labels"]["podpatterns.dev/name"] = "other"
    assert store.put(relabelled) == {SITE}
    assert names(store) == []
    assert [p.name for p in store.removed(SITE, "uid-of-site")] == ["site-0"]
    assert store.put(raw(version=3)) == {SITE}
    assert names(store) == ["site-0"]


def test_a_pod_that_left_without_terminating_is_told_of_until_that_is_settled() -> None:
    store = PodStore()
    store.put(raw("site-0", 1))
    store.put(raw("site-1", 2))
    terminating = raw("site-1", 3)
    terminating["metadata"]["deletionTimestamp"] = "2026-01-01T00:01:00Z"
    store.put(terminating)
    store.remove("uid-of-site-0", 4)
    store.remove("uid-of-site-1", 5)
    for _ in range(2):
        [gone] = store.removed(SITE, "uid-of-site")
        assert gone.name == "site-0"
    store.settle(SITE, [gone])
    assert store.removed(SITE, "uid-of-site") == []


def test_pods_that_vanish_after_their_object_are_not_kept_for_ever() -> None:
    """The garbage collector deletes at once what never found a node."""
    store = PodStore()
    store.put(raw())
    assert store.remove("uid-of-site-0", 2) == {SITE}
    store.settle_all(SITE)
    assert store.removed(SITE, "uid-of-site") == []


def test_nobody_asks_for_orphans_that_removed() -> None:
    store = PodStore()
    orphan = raw()
    orphan["metadata"]["ownerReferences"] = []
    store.put(orphan)
    store.remove("uid-of-site-0", 2)
    assert store.removed(SITE, "") == []
