"""Which configuration Pods run: status.configurations and the condition ConfigurationCurrent."""

from __future__ import annotations

from typing import Any

import pytest

from podpatterns.api import Status
from podpatterns.api.conditions import ConditionType, Reason
from podpatterns.compose import compose
from podpatterns.replicas.condition import Condition
from podpatterns.replicas.configuration import (
    LAGGING_SHOWN,
    Answers,
    Running,
    configuration_current,
    configuration_targets,
    configurations,
)
from podpatterns.replicas.endpoint import Endpoint
from testbed.builders import ambassador, old, pod, sidecarapp, template, terminating

COMPOSED = compose(ambassador(template=template()), {})
[FILE] = COMPOSED.files
PODS = [pod(f"shop-{i}", address=f"10.0.0.{i}") for i in range(2)]
TARGETS = configuration_targets(COMPOSED, "new", PODS)
GIVEN, OLDER = Running(FILE.hash), Running("0123456789")
REFUSING = Running("0123456789", "haproxy -c: unknown keyword")


def answers(*said: Running) -> Answers:
    return {(f"uid-of-shop-{i}", "ambassador"): answer for i, answer in enumerate(said)}


def judged(*said: Running) -> tuple[bool | None, str, str]:
    [found] = configuration_current(TARGETS, answers(*said))
    assert found.type == "ConfigurationCurrent"
    return found.status, found.reason, found.message


def told(*said: Running) -> dict[str, Any]:
    [entry] = configurations(COMPOSED.files, TARGETS, answers(*said))
    assert (entry.pop("container"), entry.pop("hash")) == ("ambassador", FILE.hash)
    return entry


def test_while_paused_helpers_are_not_late() -> None:
    [found] = configuration_current(TARGETS, answers(OLDER, REFUSING), held=True)
    assert (found.status, found.reason) == (None, Reason.PAUSED)
    assert list(configuration_current(None, None, held=True)) == [], "there are no helpers"


def test_those_of_the_newest_revision_that_run_are_polled() -> None:
    others = [
        pod("shop-7", phase="Pending", address="10.0.0.7"),
        pod("shop-8"),
        old("shop-9", address="10.0.0.9"),
        terminating("shop-6", address="10.0.0.6"),
    ]
    targets = configuration_targets(COMPOSED, "new", [*others, *reversed(PODS)])
    assert targets is not None
    assert [(p.name, p.uid, p.ip) for p in targets.pods] == [
        ("shop-0", "uid-of-shop-0", "10.0.0.0"),
        ("shop-1", "uid-of-shop-1", "10.0.0.1"),
    ]
    assert list(targets.endpoints()) == [
        ((f"uid-of-shop-{i}", "ambassador"), Endpoint(f"10.0.0.{i}", 8404, "/config", FILE.hash))
        for i in range(2)
    ]


def test_where_there_is_no_helper_nobody_is_polled_and_nothing_told() -> None:
    assert configuration_targets(compose(sidecarapp(template=template()), {}), "new", PODS) is None
    assert list(configuration_current(None, None)) == []


@pytest.mark.parametrize(
    ("said", "status", "reason", "message"),
    [
        ([GIVEN, GIVEN], True, "AllCurrent", "every helper runs the newest configuration"),
        (
            [GIVEN, OLDER],
            None,
            "ConfigurationProgressing",
            f"ambassador in shop-1 runs 0123456789 and not {FILE.hash} yet",
        ),
        (
            [GIVEN],
            None,
            "Unreachable",
            "ambassador in shop-1 has not answered yet: the operator polls port 8404 of the Pod",
        ),
        (
            [REFUSING, OLDER],
            False,
            "ConfigurationRefused",
            (
                "ambassador in shop-0 refuses the newest configuration and goes on with 0123456789, not "
                f"{FILE.hash}: haproxy -c: unknown keyword"
            ),
        ),
        (
            [GIVEN, Running("", "no such file")],
            False,
            "ConfigurationRefused",
            "ambassador in shop-1 refuses the newest configuration and runs none: no such file",
        ),
        (
            [GIVEN, Running(FILE.hash, "bad ca.crt")],
            False,
            "ConfigurationRefused",
            (
                f"ambassador in shop-1 refuses the newest configuration and goes on with {FILE.hash} "
                "as it was: bad ca.crt"
            ),
        ),
    ],
)
def test_what_is_wrong_comes_first(
    said: list[Running], status: bool | None, reason: str, message: str
) -> None:
    assert judged(*said) == (status, reason, message)


def test_pods_that_run_it_are_counted_and_others_named() -> None:
    assert told(GIVEN, GIVEN) == {"runningPods": 2}
    assert told(GIVEN, REFUSING) == {
        "runningPods": 1,
        "laggingPods": [{"pod": "shop-1", "hash": "0123456789", "refused": "haproxy -c: unknown keyword"}],
    }
    assert told(GIVEN) == {"runningPods": 1}
    assert told() == {}


def test_the_status_stays_small_and_has_the_form_that_the_crd_gives_it() -> None:
    pods = [pod(f"shop-{i:03}", address="10.0.0.1") for i in range(100)]
    targets = configuration_targets(COMPOSED, "new", pods)
    assert targets is not None
    said: Answers = {(p.uid, "ambassador"): REFUSING for p in pods}
    [entry] = found = configurations(COMPOSED.files, targets, said)
    assert [p["pod"] for p in entry["laggingPods"]] == [f"shop-{i:03}" for i in range(LAGGING_SHOWN)]
    assert Status.model_validate({"configurations": found}).manifest() == {"configurations": found}
    [condition] = configuration_current(targets, said)
    assert condition.message.endswith("; and 97 more")


def test_until_somebody_was_polled_what_was_told_before_stays() -> None:
    """So that an operator that starts writes nothing."""
    before = Condition(ConditionType.CONFIGURATION_CURRENT, True, Reason.ALL_CURRENT, "all of them")
    entry = {"container": "ambassador", "hash": FILE.hash, "runningPods": 2}
    assert list(configuration_current(TARGETS, None, before)) == [before]
    assert configurations(COMPOSED.files, TARGETS, None, [entry]) == [entry]


def test_what_was_told_of_another_configuration_does_not() -> None:
    entry = {"container": "ambassador", "hash": "0123456789", "runningPods": 2}
    assert configurations(COMPOSED.files, TARGETS, None, [entry]) == [
        {"container": "ambassador", "hash": FILE.hash}
    ]


def test_without_a_pod_nobody_knows() -> None:
    [found] = configuration_current(configuration_targets(COMPOSED, "new", []), {})
    assert (found.status, found.reason) == (None, "NotRunning")
