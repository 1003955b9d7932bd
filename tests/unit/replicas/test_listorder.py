"""Another order of a list is a change only where Kubernetes reads something into it."""

from __future__ import annotations

import random
from copy import deepcopy
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podpatterns.replicas.change import Change, change
from podpatterns.replicas.listorder import in_canonical_order

EXPRESSIONS = [
    {"key": "zone", "operator": "In", "values": ["b", "a"]},
    {"key": "arch", "operator": "In", "values": ["arm64", "amd64"]},
]
POD_TERMS = [
    {"topologyKey": "zone", "namespaces": ["b", "a"], "labelSelector": {"matchExpressions": EXPRESSIONS}},
    {"topologyKey": "kubernetes.io/hostname"},
]
FILES = [{"key": "b", "path": "2"}, {"key": "a", "path": "1"}]

SAME: dict[str, Any] = {
    "containers.0.env": [{"name": "B", "value": "1"}, {"name": "A", "valueFrom": {}}, {"name": "C"}],
    "containers.0.ports": [
        {"containerPort": 443},
        {"containerPort": 53, "protocol": "UDP"},
        {"containerPort": 53, "protocol": "TCP"},
    ],
    "containers.0.volumeMounts": [{"name": "a", "mountPath": "/b"}, {"name": "a", "mountPath": "/a"}],
    "containers.0.volumeDevices": [{"name": "a", "devicePath": "/b"}, {"name": "b", "devicePath": "/a"}],
    "containers.0.resizePolicy": [{"resourceName": "memory"}, {"resourceName": "cpu"}],
    "containers.0.resources": {"claims": [{"name": "b"}, {"name": "a", "request": "x"}]},
    "containers.0.securityContext": {"capabilities": {"add": ["B", "A"], "drop": ["D", "C"]}},
    "initContainers.0.env": [{"name": "B", "value": "1"}, {"name": "A", "value": "2"}],
    "volumes": [
        {"name": "b", "configMap": {"name": "b", "items": FILES}},
        {"name": "a", "secret": {"secretName": "a", "items": FILES}},
        {"name": "p", "projected": {"sources": [{"downwardAPI": {"items": FILES}}]}},
        {"name": "e", "ephemeral": {"volumeClaimTemplate": {"spec": {"accessModes": ["B", "A"]}}}},
    ],
    "imagePullSecrets": [{"name": "b"}, {"name": "a"}],
    "hostAliases": [{"ip": "10.0.0.2", "hostnames": ["b"]}, {"ip": "10.0.0.1", "hostnames": ["a"]}],
    "topologySpreadConstraints": [
        {"topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "matchLabelKeys": ["b", "a"]},
        {"topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"},
    ],
    "tolerations": [{"key": "b", "operator": "Exists"}, {"key": "a", "operator": "Exists"}],
    "readinessGates": [{"conditionType": "b/x"}, {"conditionType": "a/x"}],
    "schedulingGates": [{"name": "b/x"}, {"name": "a/x"}],
    "resourceClaims": [{"name": "b"}, {"name": "a"}],
    "securityContext": {
        "supplementalGroups": [20, 3],
        "sysctls": [{"name": "b", "value": "1"}, {"name": "a", "value": "1"}],
    },
    "dnsConfig": {"options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}]},
    "affinity": {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": EXPRESSIONS}, {"matchFields": EXPRESSIONS}]
            },
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 2, "preference": {"matchExpressions": EXPRESSIONS}},
                {"weight": 1, "preference": {}},
            ],
        },
        "podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": POD_TERMS},
        "podAntiAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 1, "podAffinityTerm": term} for term in POD_TERMS
            ]
        },
    },
}
"""Fields of a Pod's spec, with lists whose order means nothing."""

OTHER: dict[str, Any] = {
    "containers.0.command": ["b", "a"],
    "containers.0.args": ["b", "a"],
    "containers.0.envFrom": [{"configMapRef": {"name": "b"}}, {"configMapRef": {"name": "a"}}],
    "containers": [{"name": "b", "image": "b"}, {"name": "a", "image": "a"}],
    "initContainers": [{"name": "b", "image": "b"}, {"name": "a", "image": "a"}],
    "dnsConfig": {"nameservers": ["10.0.0.2", "10.0.0.1"]},
    "hostAliases": [{"ip": "10.0.0.2", "hostnames": ["db"]}, {"ip": "10.0.0.1", "hostnames": ["db"]}],
    "containers.0.env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}],
    "tolerations": [
        {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "tolerationSeconds": 30},
        {"operator": "Exists"},
    ],
    "volumes": [
        {"name": "p", "projected": {"sources": [{"secret": {"name": "b"}}, {"secret": {"name": "a"}}]}}
    ],
}
"""Lists whose order counts."""


def template(path: str, value: Any) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "containers": [{"name": "web", "image": "web"}],
        "initContainers": [{"name": "setup", "image": "setup"}],
    }
    *way, last = path.split(".")
    at: Any = spec
    for step in way:
        at = at[int(step)] if isinstance(at, list) else at[step]
    at[last] = value
    return {"spec": spec}


def reversed_lists(value: Any) -> Any:
    match value:
        case dict():
            return {k: reversed_lists(v) for k, v in value.items()}
        case list():
            return [reversed_lists(v) for v in reversed(value)]
    return value


@pytest.mark.parametrize("path", SAME)
def test_an_order_that_means_nothing_is_no_change(path: str) -> None:
    written, other = template(path, SAME[path]), template(path, reversed_lists(SAME[path]))
    assert written != other
    assert change(written, other) == Change()
    assert change(written, other).empty


@pytest.mark.parametrize("path", OTHER)
def test_an_order_that_counts_is_an_obstacle(path: str) -> None:
    assert not change(template(path, OTHER[path]), template(path, reversed_lists(OTHER[path]))).in_place


def test_what_changes_beside_the_order_is_named_as_ever() -> None:
    before = template("containers.0.env", [{"name": "B", "value": "1"}, {"name": "A", "value": "2"}])
    after = template("containers.0.env", [{"name": "A", "value": "2"}, {"name": "B", "value": "3"}])
    assert change(before, after).obstacles == ("spec.containers[web].env[B].value",)


@pytest.mark.parametrize(
    ("value", "counts"),
    [
        ("$(A)", True),
        ("$(A)$(B)", True),
        ("http://$(A):80", True),
        ("$$(A)", False),
        ("$$$(A)", True),
        ("$(C)", False),
        ("$($(A))", False),
        ("$A", False),
    ],
)
def test_a_variable_that_another_refers_to_keeps_its_place(value: str, counts: bool) -> None:
    env = [{"name": "A", "value": "1"}, {"name": "X", "value": value}]
    found = change(template("containers.0.env", env), template("containers.0.env", env[::-1]))
    assert found.obstacles == (("spec.containers[web].env",) if counts else ())


def expanded(env: list[dict[str, str]]) -> dict[str, str]:
    """Return a container's variables as the kubelet makes them, for values that hold one reference."""
    made: dict[str, str] = {}
    for variable in env:
        value, reference = variable["value"], variable["value"][2:-1]
        made[variable["name"]] = made.get(reference, value) if value.startswith("$(") else value
    return made


variables = st.lists(
    st.builds(
        lambda name, value: {"name": name, "value": value},
        st.sampled_from("ABCD"),
        st.sampled_from(["1", "2", "$(A)", "$(B)", "$(C)"]),
    ),
    max_size=6,
)


@given(env=variables, seed=st.randoms(use_true_random=False))
def test_orders_that_are_taken_for_the_same_make_the_same_variables(
    env: list[dict[str, str]], seed: random.Random
) -> None:
    other = deepcopy(env)
    seed.shuffle(other)
    if change(template("containers.0.env", env), template("containers.0.env", other)).empty:
        assert expanded(env) == expanded(other)


def independent(one: dict[str, str], other: dict[str, str]) -> bool:
    names = one["name"] != other["name"]
    return names and f"$({one['name']})" != other["value"] and f"$({other['name']})" != one["value"]


@given(env=variables)
def test_neighbours_that_do_not_know_each_other_change_places(env: list[dict[str, str]]) -> None:
    for i, j in combinations(range(len(env)), 2):
        if j == i + 1 and independent(env[i], env[j]):
            swapped = [*env[:i], env[j], env[i], *env[j + 1 :]]
            assert change(template("containers.0.env", env), template("containers.0.env", swapped)).empty


@given(env=variables)
def test_the_one_order_is_an_order_of_the_same_items(env: list[dict[str, str]]) -> None:
    once = in_canonical_order(template("containers.0.env", env))
    assert sorted(map(str, once["spec"]["containers"][0]["env"])) == sorted(map(str, env))
    assert in_canonical_order(once) == once


@pytest.mark.parametrize("odd", [None, 7, "ab", {}, [7, "a", None], [{"name": []}, {}], [[[]], {}]])
@pytest.mark.parametrize("path", [*SAME, *OTHER])
def test_lists_of_another_form_are_left(path: str, odd: Any) -> None:
    assert change(template(path, odd), template(path, deepcopy(odd))) == Change()
    in_canonical_order(template(path, odd))


def test_thousands_of_variables_take_no_time_to_speak_of() -> None:
    env = [{"name": f"V{i % 100}", "value": f"$(V{i % 7})"} for i in range(20_000)]
    assert change(template("containers.0.env", env), template("containers.0.env", env[::-1])).obstacles


def test_items_nested_beyond_all_bounds_are_left() -> None:
    def tolerations(levels: int) -> list[Any]:
        value: Any = "x"
        for _ in range(levels):
            value = [value]
        return [{"key": value}, {"key": "a"}]

    deep = tolerations(20_000)
    assert in_canonical_order(template("tolerations", deep))["spec"]["tolerations"] == deep
