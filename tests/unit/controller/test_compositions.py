"""The cache of models and compositions."""

from __future__ import annotations

from typing import Any

import pytest

from podpatterns.compose import HelperImages
from podpatterns.controller import compositions
from podpatterns.controller.compositions import Composed, Compositions
from podpatterns.controller.key import Key
from podpatterns.controller.objectstore import ObjectStore


def raw(name: str, version: int = 1, *, generation: int = 1, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "podpatterns.dev/v1alpha1",
        "kind": "SidecarApp",
        "metadata": {
            "name": name,
            "namespace": "default",
            "uid": f"uid-of-{name}",
            "generation": generation,
            "resourceVersion": str(version),
        },
        "spec": spec,
    }


def app(image: str = "web:1", length: int = 0) -> dict[str, Any]:
    env = [{"name": "LONG", "value": "x" * length}]
    return {"spec": {"containers": [{"name": "web", "image": image, "env": env}]}}


class Fixture:
    def __init__(self) -> None:
        self.store = ObjectStore()
        self.compositions = Compositions(self.store, HelperImages())

    async def of(self, name: str) -> Composed:
        entry = self.store.get(Key("SidecarApp", "default", name))
        assert entry is not None
        return await self.compositions.of(entry)


@pytest.fixture
def fixture() -> Fixture:
    return Fixture()


async def test_it_is_made_anew_only_when_the_object_or_a_part_changed(fixture: Fixture) -> None:
    fixture.store.put(raw("site", template=app(), include=[{"kind": "SidecarApp", "name": "part"}]))
    assert [p.reason for p in (await fixture.of("site")).problems] == ["PartNotFound"]
    fixture.store.put(raw("part", sidecars=[{"name": "helper", "image": "helper:1"}]))
    first = await fixture.of("site")
    assert first.composition is not None
    assert await fixture.of("site") is first
    fixture.store.put(raw("part", 2, generation=2, sidecars=[{"name": "helper", "image": "helper:2"}]))
    second = await fixture.of("site")
    assert second.composition is not None
    assert second.composition.revision != first.composition.revision


async def test_an_object_without_the_form_of_its_kind_has_problems(fixture: Fixture) -> None:
    fixture.store.put(raw("site", replicsa=2, replicas=3, template=app()))
    composed = await fixture.of("site")
    assert composed.app is not None, "its Pods are kept"
    assert composed.app.spec.replicas == 3
    assert composed.composition is None
    assert [str(p) for p in composed.problems] == ["spec.replicsa: unknown field"]


async def test_an_error_of_the_operators_own_is_a_problem_that_may_pass(
    fixture: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    fixture.store.put(raw("site", template=app()))

    def surprise(*_: object) -> None:
        raise ZeroDivisionError("by design")

    with monkeypatch.context() as broken:
        broken.setattr(compositions, "compose", surprise)
        composed = await fixture.of("site")
    assert composed.error is not None
    assert composed.error.reason == "InternalError"
    assert (await fixture.of("site")).composition is not None


async def test_only_so_much_is_kept_and_the_rest_is_made_anew(
    fixture: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compositions, "KEPT_BYTES", 50_000)
    fixture = Fixture()
    for n in range(10):
        fixture.store.put(raw(f"site-{n}", template=app(length=10_000)))
    made = [await fixture.of(f"site-{n}") for n in range(10)]
    assert await fixture.of("site-9") is made[9]
    assert await fixture.of("site-0") is not made[0]
    assert (await fixture.of("site-0")).composition == made[0].composition


async def test_a_long_one_is_made_like_any_other(fixture: Fixture) -> None:
    fixture.store.put(raw("site", template=app(length=200_000)))
    composed = await fixture.of("site")
    assert composed.composition is not None
    assert await fixture.of("site") is composed


async def test_a_part_is_faulty_that_gives_what_none_of_its_parts_declares(fixture: Fixture) -> None:
    env = [{"name": "WRONG", "value": "x"}]
    fixture.store.put(raw("outer", include=[{"kind": "SidecarApp", "name": "git", "env": env}]))
    fixture.store.put(raw("git"))
    [problem] = (await fixture.of("outer")).problems
    assert problem.path == "spec.include[0].env[0].name"
