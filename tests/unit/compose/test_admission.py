"""The policies about one object, beside what composing it says."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

import podpatterns.compose
from podpatterns.api import Pattern, parse
from podpatterns.cli.crdrules import broken_rules
from podpatterns.cli.policyrules import policy_of, refusals
from podpatterns.cli.schema import malformed
from podpatterns.compose import CannotCompose, Problem, compose, part_problems
from testbed.manifests import manifest
from tests.objects import Writer
from tests.problems import OF_SEVERAL_OBJECTS, ROWS, Row

COMPOSE = Path(podpatterns.compose.__file__).parent


def told(app: Pattern) -> tuple[Problem, ...]:
    """Return the problems of composing the object."""
    if app.spec.template is None:
        return part_problems(app)
    try:
        compose(app, {})
    except CannotCompose as error:
        return error.problems
    return ()


def refused(app: Pattern) -> list[str]:
    return list(refusals(policy_of("composable", app.kind), app.manifest()))


def tellers() -> Iterator[str]:
    """Yield the functions that make a problem: rules/ports.port_problems."""
    for file in COMPOSE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef) and any(
                isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Problem"
                for call in ast.walk(node)
            ):
                yield f"{file.relative_to(COMPOSE).with_suffix('')}.{node.name}"


def test_every_problem_of_compose_is_in_the_table() -> None:
    assert {row.said_by for row in ROWS} | OF_SEVERAL_OBJECTS.keys() == set(tellers())


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_composing_one_object_says_is_refused_at_the_door(row: Row) -> None:
    assert malformed(row.manifest) == ()
    app = parse(row.manifest)
    if row.by_crd:
        assert told(app)
        assert any(row.path == e.path and row.message in e.message for e in broken_rules(app))
        return
    assert broken_rules(app) == []
    assert any(row.path == p.path and row.message in p.message for p in told(app))
    [refusal] = refused(app)
    assert f"{row.path}: " in refusal
    assert row.message in refusal


def test_the_door_and_compose_agree() -> None:
    judged = 0
    for seed in range(150):
        obj = Writer(Random(seed)).manifest()
        assert malformed(obj) == ()
        app = parse(obj)
        if not broken_rules(app):
            problems, refusal = told(app), refused(app)
            assert bool(problems) == bool(refusal), (seed, problems, refusal)
            judged += 1
    assert judged > 100


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        (
            "SidecarApp",
            {
                "template": {
                    "spec": {
                        "containers": [
                            {"name": "web", "ports": [{"containerPort": 80}, {"containerPort": 80}]},
                            {"name": "dns", "ports": [{"containerPort": 80, "protocol": "UDP"}]},
                        ],
                        "initContainers": [{"name": "init", "ports": [{"containerPort": 80}]}],
                    }
                }
            },
        ),
        (
            "SidecarApp",
            {
                "template": {
                    "spec": {
                        "containers": [{"name": "web", "volumeMounts": [{"name": "x", "mountPath": "/x"}]}]
                    }
                },
                "include": [{"kind": "SidecarApp", "name": "part"}],
            },
        ),
    ],
    ids=["ports that are no clash", "a volume that a part may bring"],
)
def test_what_is_not_the_doors_business(kind: str, spec: dict[str, object]) -> None:
    assert refused(parse(manifest(kind, "site", spec))) == []


def test_a_free_port_is_told() -> None:
    web = {"name": "web", "ports": [{"containerPort": 80}, {"containerPort": 81}]}
    other = {"name": "other", "ports": [{"containerPort": 80}]}
    app = parse(manifest("SidecarApp", "site", {"template": {"spec": {"containers": [web, other]}}}))
    [refusal] = refused(app)
    assert refusal.endswith("give one of them another port, such as 82")


def test_twenty_are_told_at_once() -> None:
    containers = [{"name": f"c{i}", "ports": [{"containerPort": 80}]} for i in range(40)]
    app = parse(manifest("SidecarApp", "site", {"template": {"spec": {"containers": containers}}}))
    [refusal] = refused(app)
    assert refusal.count("TCP port 80 is taken by") == 19
    assert refusal.endswith("; and 20 more")
    assert len(refusal.encode()) < 5 * 1024
