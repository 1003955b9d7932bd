"""The cache of our kinds: who has work to do after a change."""

from __future__ import annotations

from typing import Any

import pytest

from podpatterns.api.bounds import POD_PARTS
from podpatterns.controller.key import Key
from podpatterns.controller.objectstore import ObjectStore
from testbed.builders import template


def raw(
    name: str, version: int = 1, *, generation: int = 1, include: tuple[str, ...] = (), **extra: Any
) -> dict[str, Any]:
    spec: dict[str, Any] = {"include": [{"kind": "SidecarApp", "name": part} for part in include]}
    if include:
        spec["template"] = template()
    return {
        "apiVersion": "podpatterns.dev/v1alpha1",
        "kind": "SidecarApp",
        "metadata": {
            "name": name,
            "namespace": "default",
            "uid": extra.pop("uid", f"uid-of-{name}"),
            "generation": generation,
            "resourceVersion": str(version),
            **extra.pop("metadata", {}),
        },
        "spec": spec,
        **extra,
    }


def key(name: str) -> Key:
    return Key("SidecarApp", "default", name)


def users(store: ObjectStore, part: Key) -> list[Key]:
    return [user.key for user in store.users(part)]


def test_a_change_of_spec_is_work_a_stale_word_is_not() -> None:
    store = ObjectStore()
    assert store.put(raw("site", 5)) == {key("site")}
    assert store.put(raw("site", 5)) == set()
    assert store.put(raw("site", 4, generation=9)) == set()
    assert store.put(raw("site", 6, generation=2)) == {key("site")}


def test_annotations_are_no_work_but_a_status_that_somebody_overwrote_is() -> None:
    store = ObjectStore()
    store.put(raw("site", 1, status={"replicas": 1}))
    assert store.put(raw("site", 2, status={"replicas": 1}, metadata={"annotations": {"a": "b"}})) == set()
    assert store.put(raw("site", 3, status={"replicas": 7})) == {key("site")}


def test_a_label_is_work_for_the_object_alone() -> None:
    store = ObjectStore()
    store.put(raw("site", 1, include=("part",)))
    labelled = raw("site", 2, include=("part",), metadata={"labels": {"a": "b"}})
    assert store.put(labelled) == {key("site")}, "its PodMonitor carries it"
    assert store.put({**labelled, "metadata": {**labelled["metadata"], "resourceVersion": "3"}}) == set()


def test_a_part_and_those_who_include_it_hear_of_each_other() -> None:
    store = ObjectStore()
    assert store.put(raw("site", 1, include=("part",))) == {key("site"), key("part")}
    assert store.put(raw("part", 2)) == {key("part"), key("site")}
    assert users(store, key("part")) == [key("site")]
    assert store.put(raw("part", 3, generation=2)) == {key("part"), key("site")}
    assert store.put(raw("site", 4, generation=2)) == {key("site"), key("part")}
    assert users(store, key("part")) == []
    assert store.put(raw("part", 5, generation=3)) == {key("part")}


def test_a_part_that_goes_is_news_for_its_users() -> None:
    store = ObjectStore()
    store.put(raw("site", 1, include=("part",)))
    store.put(raw("part", 2))
    assert store.remove(key("part"), "uid-of-part") == {key("part"), key("site")}
    assert store.remove(key("site"), "uid-of-site") == {key("site"), key("part")}
    assert len(store) == 0


def nested(name: str, *include: str | dict[str, str], version: int = 1, **spec: Any) -> dict[str, Any]:
    """A part, or an application if `spec` has a template."""
    items = [i if isinstance(i, dict) else {"kind": "SidecarApp", "name": i} for i in include]
    return {**raw(name, version), "spec": {"include": items, **spec}}


def test_a_change_of_a_part_reaches_all_above_it_and_a_change_of_a_list_all_below() -> None:
    store = ObjectStore()
    store.put(nested("site", "outer", template=template()))
    store.put(nested("outer", "inner"))
    assert store.put(nested("inner")) == {key("inner"), key("outer"), key("site")}
    entry = store.get(key("site"))
    assert entry is not None
    assert [part.key for part in store.parts(entry)] == [key("outer"), key("inner")]
    assert [user.key for user in store.applications(key("inner"))] == [key("site")]
    assert store.remove(key("site"), "uid-of-site") == {key("site"), key("outer"), key("inner")}
    assert store.applications(key("inner")) == []
    assert users(store, key("inner")) == [key("outer")]


def test_an_object_that_begins_or_ceases_to_make_pods_is_news_for_all_its_parts() -> None:
    store = ObjectStore()
    store.put(raw("inner"))
    store.put(raw("outer", spec={"include": [{"kind": "SidecarApp", "name": "inner"}]}))
    site = raw("site", include=("outer",))
    part = {**site, "spec": {"include": site["spec"]["include"]}}
    store.put(part)
    assert store.applications(key("inner")) == []
    after = raw("site", 2, generation=2, include=("outer",))
    assert store.put(after) == {key("site"), key("outer"), key("inner")}
    assert [user.key for user in store.applications(key("inner"))] == [key("site")]
    going = raw("site", 3, generation=3, include=("outer",), metadata={"deletionTimestamp": "now"})
    going["metadata"]["resourceVersion"] = "3"
    assert store.put(going) == {key("site"), key("outer"), key("inner")}
    assert store.applications(key("inner")) == []


def test_a_part_of_another_namespace_is_another() -> None:
    store = ObjectStore()
    elsewhere = Key("SidecarApp", "platform", "part")
    store.put(nested("site", {"kind": "SidecarApp", "name": "part", "namespace": "platform"}))
    assert users(store, elsewhere) == [key("site")]
    assert users(store, key("part")) == []
    part = raw("part", 2)
    part["metadata"]["namespace"] = "platform"
    assert store.put(part) == {elsewhere, key("site")}


@pytest.mark.parametrize(
    ("shared_with", "found"), [({}, 0), ({"namespaces": ["default"]}, 1), ({"namespaces": ["*"]}, 1)]
)
def test_a_part_that_is_not_shared_is_as_one_that_is_not_there(
    shared_with: dict[str, Any], found: int
) -> None:
    """Neither it nor what it includes counts among the parts, of which a Pod can't have more than so many."""
    store = ObjectStore()
    site = raw("site")
    there = {"kind": "SidecarApp", "name": "git", "namespace": "platform"}
    site["spec"] = {"template": template(), "include": [there]}
    part = raw("git", uid="git", metadata={"namespace": "platform"})
    part["spec"] = {"sharedWith": shared_with, "include": [{"kind": "SidecarApp", "name": "inner"}]}
    inner = raw("inner", uid="inner", metadata={"namespace": "platform"})
    for obj in (site, part, inner):
        store.put(obj)
    entry = store.get(key("site"))
    assert entry is not None
    assert len(store.parts(entry)) == found


def test_parts_that_include_each_other_end_nothing() -> None:
    store = ObjectStore()
    store.put(nested("a", "b"))
    assert store.put(nested("b", "a")) == {key("a"), key("b")}
    entry = store.get(key("a"))
    assert entry is not None
    assert {part.key for part in store.parts(entry)} == {key("a"), key("b")}
    assert store.applications(key("a")) == []


def test_more_parts_than_a_pod_can_have_are_not_followed() -> None:
    store = ObjectStore()
    for i in range(1_000):
        store.put(nested(f"p{i}", f"p{i + 1}"))
    entry = store.get(key("p0"))
    assert entry is not None
    assert len(store.parts(entry)) == POD_PARTS + 1


def test_a_successor_under_the_same_name_is_not_removed_with_its_predecessor() -> None:
    store = ObjectStore()
    store.put(raw("site", 1, uid="first"))
    assert store.put(raw("site", 2, uid="second")) == {key("site")}
    assert store.remove(key("site"), "first") == set()
    entry = store.get(key("site"))
    assert entry is not None
    assert entry.uid == "second"


def test_a_sweep_removes_what_vanished_unseen() -> None:
    store = ObjectStore()
    for version, name in enumerate(("kept", "gone", "remade", "newer"), start=1):
        store.put(raw(name, version if name != "newer" else 50))
    listed = {key("kept"): "uid-of-kept", key("remade"): "another"}
    assert store.sweep("SidecarApp", listed, 40) == {key("gone"), key("remade")}
    assert store.sweep("Ambassador", {}, 40) == set()
    assert store.sweep("SidecarApp", {}, 40, "another") == set(), "a list of another namespace"
    assert len(store) == 2


@pytest.mark.parametrize(
    "spec",
    [None, [], "x", {"include": 3}, {"include": [None, "x", {}, {"kind": [], "name": {}}]}, {"template": []}],
)
def test_an_object_without_the_form_of_its_kind_is_kept(spec: object) -> None:
    store = ObjectStore()
    bad = {**raw("site"), "spec": spec}
    assert store.put(bad) == {key("site")}
    entry = store.get(key("site"))
    assert entry is not None
    assert entry.includes == ()
    assert entry.manifest.read()["spec"] == spec


def test_an_object_takes_hardly_more_room_than_what_was_written() -> None:
    store = ObjectStore()
    long = raw("site")
    containers = [
        {"name": "a", "image": "x", "env": [{"name": f"E{i}", "value": "v"} for i in range(20_000)]}
    ]
    long["spec"]["template"] = {"spec": {"containers": containers}}
    store.put(long)
    entry = store.get(key("site"))
    assert entry is not None
    assert len(entry.manifest.text) < entry.manifest.size / 4
    assert entry.manifest.read()["spec"] == long["spec"]
