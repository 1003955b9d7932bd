"""When an update counts as moving, as held back and as stuck."""

from __future__ import annotations

from typing import Any

import pytest

from podpatterns.replicas.pod import timestamp
from podpatterns.replicas.progress import Course, last_progress, until_stuck
from testbed.builders import NOW, sidecarapp, template

EARLIER = timestamp(NOW - 100)
BEFORE: dict[str, Any] = {
    "observedGeneration": 1,
    "updateRevision": "site-a",
    "updatedReplicas": 1,
    "availableReplicas": 2,
    "lastProgressTime": EARLIER,
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
    ],
)
def test_it_moves_when_a_count_rises_or_another_revision_is_wanted(news: dict[str, Any], moved: bool) -> None:
    found = last_progress(sidecarapp(template=template()), {**BEFORE, **news}, BEFORE, NOW)
    assert found == (timestamp(NOW) if moved else EARLIER)


def test_a_status_that_names_no_revision_moves_no_clock() -> None:
    """The history can't be written: each try would bring a write of the status."""
    before = {key: value for key, value in BEFORE.items() if key != "updateRevision"}
    assert last_progress(sidecarapp(template=template()), BEFORE, before, NOW) == EARLIER


def test_a_change_of_the_spec_starts_the_clock_anew() -> None:
    before = {**BEFORE, "observedGeneration": 0}
    assert last_progress(sidecarapp(template=template()), BEFORE, before, NOW) == timestamp(NOW)


@pytest.mark.parametrize(
    ("strategy", "updated", "reason"),
    [
        ({}, 0, None),
        ({"paused": True}, 1, "Paused"),
        ({"paused": True}, 3, None),
        ({"type": "OnDelete"}, 1, "OnDelete"),
        ({"partition": 2}, 0, None),
        ({"partition": 2}, 1, "PartitionReached"),
    ],
)
def test_somebody_may_want_it_to_stop_here(
    strategy: dict[str, Any], updated: int, reason: str | None
) -> None:
    app = sidecarapp(template=template(), replicas=3, updateStrategy=strategy)
    held = Course(updated, available=3, live=3).held(app)
    assert (held and held[0]) == reason


def test_only_what_rolls_out_can_get_stuck() -> None:
    app = sidecarapp(template=template(), progressDeadlineSeconds=150)

    def status(reason: str) -> dict[str, Any]:
        return {**BEFORE, "conditions": [{"type": "Progressing", "reason": reason}]}

    assert until_stuck(app, status("RollingOut"), NOW) == 50
    assert until_stuck(app, status("RollingOut"), NOW + 1000) == 0
    assert until_stuck(app, status("Paused"), NOW) is None
