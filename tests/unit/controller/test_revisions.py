"""The revisions that the controller keeps of objects."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from podpatterns.api import parse
from podpatterns.compose import compose
from podpatterns.controller import revisions
from podpatterns.controller.controllerrevisions import History
from podpatterns.controller.key import Key
from podpatterns.controller.objectstate import ObjectState
from podpatterns.controller.objectstore import read
from podpatterns.controller.revisions import Revisions
from podpatterns.replicas.change import Change
from podpatterns.replicas.history import Revision
from podpatterns.replicas.packed import Packed
from podpatterns.replicas.status import revision_name
from tests.unit.controller.memoryapi import MemoryApi
from tests.unit.controller.test_compositions import app, raw


def updating(name: str) -> tuple[Key, ObjectState]:
    """An object with an update under way, whose revisions take 10 kB."""
    data = Packed.of(os.urandom(5_000).hex())
    kept = [Revision(f"{name}-{n}", f"uid-{n}", str(n), n, data) for n in range(2)]
    return Key("SidecarApp", "ns", name), ObjectState(name, revisions=kept, changes=("1", {"0": Change()}))


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Revisions:
    monkeypatch.setattr(revisions, "KEPT_BYTES", 40_000)
    return Revisions(History(None, lambda *_: None))  # type: ignore[arg-type]


def test_those_of_stuck_rollouts_are_kept_up_to_a_bound(kept: Revisions) -> None:
    objects = [updating(f"site-{n}") for n in range(10)]
    for key, state in objects:
        kept.take(key)
        kept.put_back(key, state)
    assert [bool(state.revisions) for _, state in objects] == [False] * 7 + [True] * 3
    assert [bool(state.changes[1]) for _, state in objects] == [False] * 7 + [True] * 3


def test_an_object_in_work_keeps_its_own(kept: Revisions) -> None:
    key, state = updating("site")
    kept.put_back(key, state)
    kept.take(key)
    for n in range(10):
        kept.put_back(*updating(f"other-{n}"))
    assert state.revisions


def test_nothing_is_kept_of_an_object_without_an_update(kept: Revisions) -> None:
    objects = [updating(f"site-{n}") for n in range(3)]
    for key, state in objects:
        kept.put_back(key, state)
    _, first = objects[0]
    idle = ObjectState("idle")
    kept.put_back(Key("SidecarApp", "ns", "idle"), idle)
    assert idle.revisions is None
    assert first.revisions


async def test_what_was_listed_before_the_first_revision_counts_no_more() -> None:
    """An object that could not be composed at first, then could, and is faulty again keeps its Pods."""
    found, state = Revisions(History(MemoryApi(lambda: 0.0), lambda *_: None)), ObjectState("0123456789")
    manifest = raw("site", template=app())
    manifest["metadata"]["uid"] = state.uid
    entry, site = read(manifest), parse(manifest)
    assert await found.last_good(entry, site, state) is None
    composition = compose(site)
    await found.of(entry, site, composition, (), state)
    await found.conclude(entry, site, (), state, {})
    told = {"updateRevision": revision_name(site, composition.revision)}
    good = await found.last_good(replace(entry, status=told), site, state)
    assert good is not None
    assert good.revision == composition.revision
