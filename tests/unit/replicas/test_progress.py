"""When an update counts as moving, as held back and as stuck."""

from __future__ import annotations

from typing import Any

import pytest

from podpatterns.replicas.pod import timestamp
from podpatterns.replicas.progress import Rollout, last_progress, newly_stalled, until_stuck
from testbed.builders import NOW, sidecarapp, template

EARLIER = timestamp(NOW - 100)


def status(reason: str, **counts: Any) -> dict[str, Any]:
    return {
        "observedGeneration": 1,
        "updateRevision": "site-a",
        "replicas": 3,
        "updatedReplicas": 1,
        "availableReplicas": 2,
        "lastProgressTime": EARLIER,
        "conditions": [{"type": "Progressing", "reason": reason}],
        **counts,
    }


@pytest.mark.parametrize(
    ("news", "moved"),
    [
        ({}, False),
        ({"updatedReplicas": 2}, True),
        ({"updatedReplicas": 0}, False),
        ({"availableReplicas": 3}, True),
        ({"availableReplicas": 1}, False),
        ({"updateRevision": "site-b"}, True),
        ({"replicas": 5, "updatedReplicas": 3}, False),
        ({"observedGeneration": 2}, False),
    ],
    ids=str,
)
@pytest.mark.parametrize("reason", ["RollingOut", "ProgressDeadlineExceeded"])
def test_a_rollout_moves_when_fewer_are_outdated_more_available_or_another_revision_is_wanted(
    news: dict[str, Any], moved: bool, reason: str
) -> None:
    """Scaling is no progress, and no new rollout."""
    found = last_progress({**status(reason), **news}, status(reason), NOW, under_way=True)
    assert found == (timestamp(NOW) if moved else EARLIER)


def test_a_status_that_names_no_revision_moves_no_clock() -> None:
    """The history can't be written: each try would bring a write of the status."""
    before = {key: value for key, value in status("RollingOut").items() if key != "updateRevision"}
    assert last_progress(status("RollingOut"), before, NOW, under_way=True) == EARLIER


@pytest.mark.parametrize(
    "before", ["Paused", "OnDelete", "PartitionReached", "InvalidSpec", "RevisionComplete"]
)
def test_the_clock_starts_anew_when_a_rollout_is_resumed_and_not_before(before: str) -> None:
    assert last_progress(status(before), status(before), NOW, under_way=False) == EARLIER
    assert last_progress(status(before), status(before), NOW, under_way=True) == timestamp(NOW)


@pytest.mark.parametrize(
    ("strategy", "updated", "reason"),
    [
        ({}, 0, None),
        ({"paused": True}, 1, "Paused"),
        ({"paused": True}, 3, None),
        ({"type": "OnDelete"}, 3, None),
        ({"type": "OnDelete"}, 1, "OnDelete"),
        ({"partition": 2}, 0, None),
        ({"partition": 2}, 1, "PartitionReached"),
    ],
)
def test_somebody_may_want_it_to_stop_here(
    strategy: dict[str, Any], updated: int, reason: str | None
) -> None:
    app = sidecarapp(template=template(), replicas=3, updateStrategy=strategy)
    held = Rollout(updated, available=3, live=3).held(app)
    assert (held and held[0]) == reason


@pytest.mark.parametrize("strategy", [{"paused": True}, {"type": "OnDelete"}, {"partition": 2}], ids=str)
def test_pods_that_are_created_are_held_by_nothing(strategy: dict[str, Any]) -> None:
    app = sidecarapp(template=template(), replicas=3, updateStrategy=strategy)
    assert Rollout(updated=1, available=0, live=1).held(app) is None


def test_only_what_rolls_out_can_get_stuck() -> None:
    app = sidecarapp(template=template(), progressDeadlineSeconds=150)
    assert until_stuck(app, status("RollingOut"), NOW) == 50
    assert until_stuck(app, status("RollingOut"), NOW + 1000) == 0
    for reason in ("Paused", "RevisionComplete", "ProgressDeadlineExceeded"):
        assert until_stuck(app, status(reason), NOW) is None


def test_a_deadline_that_passes_is_news_once() -> None:
    reason, message = "ProgressDeadlineExceeded", "no progress for 60 s"
    stuck = {"conditions": [{"type": "Stalled", "status": "True", "reason": reason, "message": message}]}
    assert newly_stalled(stuck, {}) == (reason, message)
    assert newly_stalled(stuck, stuck) is None
    assert newly_stalled({"conditions": []}, stuck) is None
