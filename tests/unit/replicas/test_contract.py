"""The condition ContractSatisfied."""

from __future__ import annotations

from typing import Any

import pytest

from podpatterns.api.conditions import ConditionType, Reason
from podpatterns.compose import Composition, Problem, compose
from podpatterns.replicas import Pod
from podpatterns.replicas.condition import Condition
from podpatterns.replicas.contract import Answer, Missing, contract_satisfied, contract_targets
from podpatterns.replicas.endpoint import Endpoint
from testbed.builders import adapter, ambassador, old, pod, template, terminating

COMPOSED = compose(adapter(template=template()), {})
[ENDPOINT] = COMPOSED.metrics_endpoints
ABSENT = Missing("app_x_total", "absent")


def judged(answer: Answer | None, pods: list[Pod] | None = None) -> tuple[bool | None, str, str]:
    there = [pod("legacy-0", address="10.0.0.1")] if pods is None else pods
    targets = contract_targets(COMPOSED, "new", there)
    answers = {} if answer is None else {"adapter": answer}
    [found] = contract_satisfied(COMPOSED, (), targets, answers)
    assert found.type == "ContractSatisfied"
    return found.status, found.reason, found.message


def answer(*missing: Missing) -> Answer:
    return Answer(ENDPOINT.hash, missing)


@pytest.mark.parametrize(
    ("given", "status", "reason", "message"),
    [
        (
            answer(),
            True,
            "MetricsPresent",
            (
                "adapter in legacy-0 offers every metric of custom; the operator polls this Pod alone, every "
                "5 minutes at least"
            ),
        ),
        (
            answer(ABSENT),
            None,
            "NoSamplesYet",
            "adapter in legacy-0 lacks metrics of custom: app_x_total (absent)",
        ),
        (
            answer(ABSENT, Missing("app_y", "label team")),
            False,
            "MetricsMissing",
            "adapter in legacy-0 lacks metrics of custom: app_x_total (absent), app_y (label team)",
        ),
        (None, None, "Pending", "the operator has not polled adapter in legacy-0 yet"),
        (
            Answer(trouble="status 404"),
            None,
            "Unreachable",
            "adapter in legacy-0 does not answer: status 404",
        ),
        (
            Answer("other", refused="rules[0].path: bad"),
            False,
            "ConfigurationRefused",
            "adapter in legacy-0 refuses the newest configuration and goes on with the last good one: rules",
        ),
        (Answer("other"), None, "ConfigurationProgressing", "adapter in legacy-0 does not run the newest"),
    ],
)
def test_the_adapter_is_believed(
    given: Answer | None, status: bool | None, reason: str, message: str
) -> None:
    found = judged(given)
    assert found[:2] == (status, reason)
    assert found[2].startswith(message)


def test_without_a_pod_there_is_nobody_to_poll() -> None:
    nobody: list[Pod] = [
        pod("legacy-0", phase="Pending", address="10.0.0.1"),
        pod("legacy-1"),
        old("legacy-2", address="10.0.0.1"),
        terminating("legacy-3", address="10.0.0.1"),
    ]
    assert judged(None, nobody)[:2] == (None, "NotRunning")


def test_one_pod_is_polled_and_always_the_same() -> None:
    pods = [pod(f"legacy-{i}", address=f"10.0.0.{i}") for i in (2, 0, 1)]
    targets = contract_targets(COMPOSED, "new", pods)
    assert targets is not None
    assert (targets.pod, targets.ip) == ("legacy-0", "10.0.0.0")
    endpoint = Endpoint("10.0.0.0", ENDPOINT.port, "/contract", ENDPOINT.hash)
    assert list(targets.endpoints()) == [("adapter", endpoint)]


def test_until_somebody_answers_what_was_told_before_stays() -> None:
    """So that an operator that starts writes nothing."""
    before = Condition(ConditionType.CONTRACT_SATISFIED, True, Reason.METRICS_PRESENT, "all is there")
    targets = contract_targets(COMPOSED, "new", [pod("legacy-0", address="10.0.0.1")])
    assert list(contract_satisfied(COMPOSED, (), targets, {}, before)) == [before]
    [found] = contract_satisfied(COMPOSED, (), targets, {"adapter": answer(ABSENT)}, before)
    assert found.reason == "NoSamplesYet"


def conditions(composition: Composition | None, *problems: Problem) -> list[Any]:
    return [(c.status, c.reason, c.message) for c in contract_satisfied(composition, problems, None, {})]


def test_what_the_rules_cannot_make_is_told_without_a_pod() -> None:
    bad = Problem("spec.rules", "no rule makes app_x_total", Reason.CONTRACT_UNSATISFIABLE)
    other = Problem("spec.x", "bad")
    assert conditions(None, other, bad) == [
        (False, "ContractUnsatisfiable", "spec.rules: no rule makes app_x_total")
    ]
    assert conditions(None, other) == []


def test_only_adapters_have_a_contract() -> None:
    assert conditions(compose(ambassador(template=template()), {})) == []


def test_an_adapter_without_a_contract_can_lack_nothing() -> None:
    composed = compose(adapter(template=template(), contract={}), {})
    [endpoint] = composed.metrics_endpoints
    targets = contract_targets(composed, "new", [pod("legacy-0", address="10.0.0.1")])
    [found] = contract_satisfied(composed, (), targets, {"adapter": Answer(endpoint.hash)})
    assert (found.status, found.reason) == (True, Reason.METRICS_PRESENT)
    assert found.message.startswith("adapter in legacy-0 has no contract: no metric is required; ")
