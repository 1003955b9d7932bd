from __future__ import annotations

from typing import get_args, get_type_hints

import pytest

from chaos.plan import Step, plan
from testbed.faults.faults import Fault, Faults, StreamFault
from testbed.faults.route import Route

CREATE = Route("create", "pods", "ns")


@pytest.mark.parametrize(
    ("method", "path", "query", "route"),
    [
        ("GET", "/api/v1/pods", {}, ("list", "pods", "")),
        ("GET", "/api/v1/pods", {"watch": "true"}, ("watch", "pods", "")),
        ("GET", "/api/v1/namespaces/ns/pods/site-0", {}, ("get", "pods", "ns")),
        ("POST", "/api/v1/namespaces/ns/pods", {}, ("create", "pods", "ns")),
        ("DELETE", "/api/v1/namespaces/ns/pods/site-0", {}, ("delete", "pods", "ns")),
        (
            "PATCH",
            "/apis/podpatterns.dev/v1alpha1/namespaces/ns/sidecarapps/site/status",
            {},
            ("patch", "sidecarapps/status", "ns"),
        ),
        ("PUT", "/apis/coordination.k8s.io/v1/namespaces/ns/leases/x", {}, ("update", "leases", "ns")),
        ("GET", "/apis", {}, ("list", "", "")),
        ("GET", "/api/v1/namespaces/ns", {}, ("get", "namespaces", "")),
    ],
)
def test_routes(method: str, path: str, query: dict[str, str], route: tuple[str, str, str]) -> None:
    assert Route.of(method, path, query) == route


def test_a_seed_decides_the_same_again_whatever_happens_in_between() -> None:
    first, second = Faults(7, "ns"), Faults(7, "ns")
    decided = [first.request(CREATE) for _ in range(100)]
    again = []
    for _ in range(100):
        second.request(Route("list", "pods", ""))
        again.append(second.request(CREATE))
    assert decided == again
    assert any(fault != Fault() for fault in decided)
    assert decided != [Faults(8, "ns").request(CREATE) for _ in range(100)]


def test_other_namespaces_are_left_alone() -> None:
    faults = Faults(7, "other")
    assert {faults.request(CREATE) for _ in range(100)} == {Fault()}


def test_the_operator_is_killed_at_the_planned_write() -> None:
    faults = Faults(7, "ns", frozenset({3}))
    kills = [faults.request(CREATE).kill for _ in range(5)]
    assert [bool(kill) for kill in kills] == [False, False, True, False, False]


def test_plans_are_the_seeds() -> None:
    assert plan(3) == plan(3) != plan(4)


def test_the_seeds_of_a_test_run_have_everything_that_can_happen() -> None:
    plans = [plan(seed) for seed in range(1, 51)]
    steps = {step.do for p in plans for step in p.steps}
    assert steps == set(get_args(get_type_hints(Step)["do"]))
    assert any(p.standby for p in plans)
    assert any(p.kills for p in plans)
    faults, sorts = (
        [],
        [CREATE, Route("list", "pods", ""), Route("continue", "pods", ""), Route("watch", "pods", "")],
    )
    for p in plans:
        decisions = Faults(p.seed, "ns")
        faults += [decisions.request(sort) for sort in sorts * 3]
    assert {fault.kind for fault in faults} == set(get_args(get_type_hints(Fault)["kind"]))
    refusals = {code for fault in faults if fault.kind == "refuse" for code, _ in [fault.refusal]}
    assert refusals == {409, 410, 429, 500, 503, 504}
    assert any(fault.late for fault in faults)
    assert any(fault.page for fault in faults)
    ends = {fault.stream.end for fault in faults if fault.stream}
    assert ends == set(get_args(get_type_hints(StreamFault)["end"]))
