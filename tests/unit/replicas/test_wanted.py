from __future__ import annotations

import pytest

from podpatterns.replicas import Wanted
from testbed.builders import sidecarapp, template


@pytest.mark.parametrize(
    ("replicas", "unavailable", "surge", "expected"),
    [
        (10, "25%", 0, (2, 0)),
        (2, "25%", 0, (1, 0)),  # both came out as 0
        (10, 3, "25%", (3, 3)),
        (2, "25%", "25%", (0, 1)),
        (0, "25%", 0, (1, 0)),
    ],
)
def test_percentages_round_as_for_a_deployment(
    replicas: int, unavailable: int | str, surge: int | str, expected: tuple[int, int]
) -> None:
    strategy = {"maxUnavailable": unavailable, "maxSurge": surge}
    app = sidecarapp(replicas=replicas, podNaming="Generated", updateStrategy=strategy, template=template())
    want = Wanted.of(app, "r")
    assert (want.max_unavailable, want.max_surge) == expected


def test_a_stable_name_can_not_surge() -> None:
    want = Wanted.of(sidecarapp(replicas=4, updateStrategy={"maxSurge": 2}, template=template()), "r")
    assert (want.max_unavailable, want.max_surge) == (1, 0)


@pytest.mark.parametrize(("policy", "completes"), [("Always", False), ("OnFailure", True), ("Never", True)])
def test_a_restart_policy_other_than_always_runs_to_completion(policy: str, completes: bool) -> None:
    assert Wanted.of(sidecarapp(template=template(restartPolicy=policy)), "r").runs_to_completion is completes


def test_an_object_is_held_at_its_last_good_revision_with_the_numbers_of_now() -> None:
    broken = template(restartPolicy="Always")
    app = sidecarapp(replicas=4, podNaming="Generated", minReadySeconds=7, template=broken)
    want = Wanted.holding(app, "good", template(restartPolicy="Never"))
    assert (want.revision, want.replicas, want.naming, want.min_ready_seconds) == ("good", 4, "Generated", 7)
    assert want.holds
    assert not want.rolls_out
    assert want.runs_to_completion, "what has run to completion is not run again by an edit that can't work"


def test_what_is_no_template_is_no_obstacle() -> None:
    assert not Wanted.of(sidecarapp(template={"spec": None}), "r").runs_to_completion
