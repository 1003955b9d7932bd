"""The status as it goes to the API server."""

from __future__ import annotations

from podpatterns.api import Condition, Replacement, Status, UsedBy


def test_a_status_goes_out_in_camel_case_without_what_is_unknown() -> None:
    status = Status(
        observed_generation=3,
        ready_replicas=0,
        recent_replacements=(
            Replacement(
                name="site-0",
                old_uid="a",
                new_uid="b",
                reason="Deleted",
                time="2026-01-31T12:00:00Z",
                duration="3.2s",
            ),
        ),
        used_by=(UsedBy(kind="SidecarApp", name="site"),),
        conditions=(
            Condition(
                type="Ready",
                status="True",
                reason="PodsAvailable",
                message="2 of 2 Pods are available",
                last_transition_time="2026-01-31T12:00:00Z",
            ),
        ),
    )

    assert status.manifest() == {
        "observedGeneration": 3,
        "readyReplicas": 0,
        "recentReplacements": [
            {
                "name": "site-0",
                "duration": "3.2s",
                "oldUID": "a",
                "newUID": "b",
                "reason": "Deleted",
                "time": "2026-01-31T12:00:00Z",
            }
        ],
        "usedBy": [{"kind": "SidecarApp", "name": "site"}],
        "conditions": [
            {
                "type": "Ready",
                "status": "True",
                "reason": "PodsAvailable",
                "message": "2 of 2 Pods are available",
                "lastTransitionTime": "2026-01-31T12:00:00Z",
            }
        ],
    }


def test_an_empty_status_says_nothing() -> None:
    assert Status().manifest() == {}
