"""Bounds: the problems of any object are few, short and quick to find."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from podpatterns.api import Pattern
from podpatterns.api.conditions import Reason
from podpatterns.compose import CannotCompose, Problem, compose
from podpatterns.compose.rules.problem import one_of
from testbed.builders import adapter, ambassador, sidecarapp, template


def refused(app: Pattern, *parts: Pattern) -> tuple[Problem, ...]:
    with pytest.raises(CannotCompose) as caught:
        compose(app, parts)
    return caught.value.problems


def test_twenty_are_kept_and_the_last_says_how_many_more() -> None:
    found = (Problem(f"spec.a[{i}]", "bad", Reason.PORTS_CONFLICT) for i in range(100))
    problems = CannotCompose(found).problems
    assert [p.path for p in problems] == [*(f"spec.a[{i}]" for i in range(19)), "spec"]
    assert problems[-1].message == "81 problems more: mend these first"
    assert {p.reason for p in problems} == {"PortsConflict"}


def test_twenty_are_all_told() -> None:
    problems = CannotCompose(Problem(f"spec.a[{i}]", "bad") for i in range(20)).problems
    assert [p.path for p in problems] == [f"spec.a[{i}]" for i in range(20)]


def test_the_search_ends() -> None:
    made = []

    def endless() -> Iterator[Problem]:
        while True:
            made.append(1)
            yield Problem("spec", "bad")

    problems = CannotCompose(endless()).problems
    assert problems[-1].message == "more than 1000 problems more: mend these first"
    assert len(made) < 1_100


def test_each_is_cut() -> None:
    [problem] = CannotCompose([Problem("spec." + "x" * 10_000, "é" * 10_000)]).problems
    assert len(str(problem).encode()) <= 1024
    assert problem.path.startswith("spec.xx")
    assert problem.message.startswith("éé")


def test_a_few_names_are_told() -> None:
    assert one_of([]) == "the Pod has none"
    assert one_of(["b", "a", "b"]) == "the Pod has a, b"
    assert one_of(map(str, range(4_000))) == "the Pod has 0, 1, 10, 100, 1000 and 3995 more"


def test_thousands_of_mounts_of_no_volume() -> None:
    """Their messages once took 1.5 GB, each naming thousands of volumes."""
    web = {"name": "a", "volumeMounts": [{"name": "x", "mountPath": f"/{i}"} for i in range(4_000)]}
    problems = refused(
        sidecarapp(template=template(web, volumes=[{"name": f"v{i:04}"} for i in range(4_000)]))
    )
    assert len(problems) == 20
    assert str(problems[0]) == (
        'spec.template.spec.containers[0].volumeMounts[0].name: no volume is named "x": declare it in '
        "spec.sharedVolumes, spec.volumeClaimTemplates, spec.template.spec.volumes or spec.volumes of a part "
        "(the Pod has v0000, v0001, v0002, v0003, v0004 and 3995 more)"
    )


@pytest.mark.parametrize(
    "container",
    [
        {"volumeMounts": [{"name": f"{i}", "mountPath": f"/{i}"} for i in range(256)]},
        {"volumeMounts": [{"name": "x" * 99_999, "mountPath": "/m"}, {"name": "y", "mountPath": "/m/"}]},
        {"name": "x" * 99_999},
    ],
)
def test_names_of_any_length(container: dict[str, Any]) -> None:
    long = "x" * 100_000
    volumes = [{"name": f"{long}{i}"} for i in range(5)]
    containers = [{"name": "x" * 99_999}, {"name": "a", **container}]
    for problem in refused(sidecarapp(template=template(*containers, volumes=volumes))):
        assert len(str(problem)) < 1024


def test_more_containers_than_a_pod_can_have() -> None:
    parts = [sidecarapp(f"p{i}", sidecars=[{"name": f"p{i}-{j}"} for j in range(64)]) for i in range(2)]
    app = sidecarapp(template=template(), include=[{"kind": "SidecarApp", "name": f"p{i}"} for i in range(2)])
    [problem] = refused(app, *parts)
    assert str(problem) == "spec: the Pod would have 129 containers: 128 are the most, take some out"


def test_more_shared_volumes_than_a_pod_can_have() -> None:
    def volumes(of: str) -> list[dict[str, str]]:
        return [{"name": f"{of}{i}", "mountPath": f"/{of}{i}"} for i in range(64)]

    parts = [sidecarapp(f"p{i}", sharedVolumes=volumes(f"p{i}")) for i in range(2)]
    include = [{"kind": "SidecarApp", "name": f"p{i}"} for i in range(2)]
    app = sidecarapp(template=template(), include=include, sharedVolumes=volumes("a"))
    [problem] = refused(app, *parts)
    assert str(problem) == "spec: the Pod would have 192 shared volumes: 128 are the most, take some out"


def test_more_configuration_than_helpers_should_have() -> None:
    emit = [{"metric": f"app_{i}_total", "labels": {f"l{k}": "x" for k in range(16)}} for i in range(16)]
    rules = [{"source": "stats", "path": "x", "emit": emit}] * 7
    endpoints = [f"db-{i}:1" for i in range(64)]
    upstreams = [
        {"name": f"u{i}", "protocol": "tcp", "listen": {"port": i + 1}, "endpoints": endpoints}
        for i in range(3)
    ]
    app = ambassador(template=template(), upstreams=upstreams, include=[{"kind": "Adapter", "name": "red"}])
    [problem] = refused(app, adapter("red", rules=rules))
    assert str(problem) == (
        "spec: the Pod would have 2096 metrics, labels and endpoints in its helpers' configuration: 2048 are "
        "the most, take some out"
    )
