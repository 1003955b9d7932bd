"""What tools that wait for an object make of its status, by their own library."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from podpatterns.api.conditions import Reason
from podpatterns.compose import Problem
from podpatterns.replicas import Pod, Wanted
from podpatterns.replicas.failure import Failure
from podpatterns.replicas.observed import Observed
from podpatterns.replicas.status import Usage, app_status, part_status, unreadable_status
from testbed.builders import NOW, failed, old, pod, sidecarapp, template, unready
from testbed.cluster.kstatus import kstatus
from testbed.cluster.kubectl import Kubectl
from testbed.manifests import manifest

LONG = 1_000.0
"""Seconds, more than the deadline."""


def status_of(
    *pods: Pod, previous: dict[str, Any] | None = None, now: float = NOW, **options: Any
) -> dict[str, Any]:
    problems: Sequence[Problem] = options.pop("problems", ())
    failure: Failure | None = options.pop("failure", None)
    revision: str = options.pop("revision", "new")
    app = sidecarapp(**{"replicas": len(pods), "template": template(), **options})
    observed = Observed(pods, problems, failure, now)
    return app_status(app, None if problems else Wanted.of(app, revision), observed, previous or {})


def stuck(*pods: Pod, **options: Any) -> dict[str, Any]:
    return status_of(*pods, previous=status_of(*pods, **options), now=NOW + LONG, **options)


NEW, OLD, BAD = pod("site-0"), old("site-1"), unready("site-2", reason="ImagePullBackOff")
COMPLETE = status_of(NEW)
DENIED = Failure(Reason.FORBIDDEN, "denied by a policy")
SURGE: dict[str, Any] = {"podNaming": "Generated", "updateStrategy": {"maxSurge": 1, "maxUnavailable": 0}}

WORK: dict[str, Any] = {"template": template(restartPolicy="Never")}
DONE = unready("site-0", phase="Succeeded", ends=True)
WORKED = status_of(DONE, **WORK)
BROKEN = failed("site-0")
GIVEN_UP = status_of(BROKEN, backoffLimit=0, **WORK)

STATES: list[tuple[str, dict[str, Any], str]] = [
    ("not seen yet", {"observedGeneration": -1}, "InProgress"),
    ("complete", COMPLETE, "Current"),
    ("an older generation", {**COMPLETE, "observedGeneration": 0}, "InProgress"),
    ("no Pods wanted", status_of(), "Current"),
    ("a Pod is missing", status_of(NEW, replicas=2), "InProgress"),
    ("a Pod is lost later", status_of(replicas=1, previous=COMPLETE, now=NOW + LONG), "InProgress"),
    ("rolling out", status_of(NEW, OLD), "InProgress"),
    ("surge", status_of(OLD, old("site-3"), NEW, replicas=2, **SURGE), "InProgress"),
    ("a bad image", status_of(OLD, BAD), "InProgress"),
    ("a bad image, past its deadline", stuck(OLD, BAD), "Failed"),
    ("the same by surge", stuck(OLD, old("site-3"), BAD, replicas=2, **SURGE), "Failed"),
    ("the first Pods, past their deadline", stuck(BAD), "Failed"),
    ("corrected", status_of(NEW, previous=stuck(BAD)), "Current"),
    ("creations are refused", status_of(replicas=1, failure=DENIED), "InProgress"),
    ("creations are refused, past its deadline", stuck(replicas=1, failure=DENIED), "Failed"),
    ("deletions are refused", status_of(NEW, pod("site-1"), replicas=1, failure=DENIED), "InProgress"),
    ("paused", stuck(NEW, OLD, updateStrategy={"paused": True}), "InProgress"),
    ("OnDelete", stuck(NEW, OLD, updateStrategy={"type": "OnDelete"}), "Current"),
    ("partition reached", stuck(NEW, OLD, updateStrategy={"partition": 1}), "Current"),
    ("invalid", status_of(NEW, problems=[Problem("spec.x", "wrong")]), "InProgress"),
    ("unreadable", unreadable_status(1, [Problem("spec.x", "unknown field")], {}, NOW), "InProgress"),
    ("work starts", status_of(unready("site-0", phase="Pending"), **WORK), "InProgress"),
    ("work never starts", stuck(unready("site-0", phase="Pending"), **WORK), "Failed"),
    ("work runs", status_of(NEW, **WORK), "Current"),
    ("work runs for long", stuck(NEW, **WORK), "Current"),
    ("some of it is done", status_of(DONE, pod("site-1"), **WORK), "Current"),
    ("work waits for a retry", stuck(BROKEN, **WORK), "InProgress"),
    ("work is complete", WORKED, "Current"),
    ("its Pods are gone", status_of(replicas=1, previous=WORKED, now=NOW + LONG, **WORK), "Current"),
    ("work has failed", GIVEN_UP, "Failed"),
    ("work runs again", status_of(DONE, previous=WORKED, revision="next", **WORK), "InProgress"),
    (
        "failed work runs again",
        status_of(previous=GIVEN_UP, replicas=1, revision="next", **WORK),
        "InProgress",
    ),
    ("a part", part_status(sidecarapp(), Usage([], 0, 0), [], {}, NOW), "Current"),
]


def test_a_table_of_states() -> None:
    objects = [
        {**manifest("SidecarApp", "site", {}, generation=1), "status": status} for _, status, _ in STATES
    ]
    found = [judgement.status for judgement in kstatus(objects)]
    assert [(case, status) for (case, *_), status in zip(STATES, found, strict=True)] == [
        (case, expected) for case, _, expected in STATES
    ]


@pytest.mark.parametrize("options", [[], ["--server-side"]], ids=["client-side", "server-side"])
@pytest.mark.parametrize("spec", [{}, {"template": template()}], ids=["part", "application"])
def test_a_new_object_is_in_progress_before_the_operator_has_seen_it(
    kubectl: Kubectl, crds: Path, options: list[str], spec: dict[str, Any]
) -> None:
    """The default of status is in every answer. The API server stores it with the first update."""
    new = manifest("SidecarApp", "new", spec)

    def applied() -> dict[str, Any]:
        kubectl("apply", *options, "--filename=-", stdin=json.dumps(new))
        return kubectl.get("sidecarapp", "new", "--show-managed-fields")

    first = applied()
    [judgement] = kstatus([first])
    assert judgement.status == "InProgress"
    assert "latest observed generation is -1" in judgement.message
    second, third = applied(), applied()
    assert third == second
    assert second["metadata"]["generation"] == first["metadata"]["generation"] == 1
    assert not any("f:status" in entry["fieldsV1"] for entry in third["metadata"]["managedFields"])
    assert [obj["status"] for obj in kubectl.get("patterns")["items"]] == [{"observedGeneration": -1}]
