"""Progress of a rollout, for the condition Progressing and status.lastProgressTime.

As Deployment's: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#progressing-deployment
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from podpatterns.api import Pattern
from podpatterns.api.conditions import ConditionType, Reason
from podpatterns.replicas.pod import seconds, timestamp


@dataclass(frozen=True, slots=True)
class Course:
    """Pods that an update has reached."""

    updated: int
    """Pods of the newest revision."""
    available: int
    live: int

    def complete(self, app: Pattern) -> bool:
        """Every Pod is of the newest revision and available."""
        return self.available >= app.spec.replicas == self.updated == self.live

    def held(self, app: Pattern) -> tuple[Reason, str] | None:
        """Return reason and message where the spec stops the update here."""
        strategy, replicas = app.spec.update_strategy, app.spec.replicas
        if self.updated >= replicas:
            return None
        if strategy.paused:
            return Reason.PAUSED, "spec.updateStrategy.paused is true"
        if strategy.type == "OnDelete":
            return Reason.ON_DELETE, "the other Pods get it when they are deleted (spec.updateStrategy.type)"
        if strategy.partition and self.updated >= replicas - strategy.partition:
            message = f"spec.updateStrategy.partition keeps {strategy.partition} at the old one"
            return Reason.PARTITION_REACHED, message
        return None


def last_progress(app: Pattern, status: Mapping[str, Any], previous: Mapping[str, Any], now: float) -> str:
    """Return the metav1.Time of the last progress; `status` has the present counts.

    A change of the spec, such as an end of a pause, starts the clock anew.
    """
    before = previous.get("lastProgressTime")
    named = previous.get("updateRevision")  # by nobody while no revision can be kept
    moved = (
        (named is not None and named != status.get("updateRevision"))
        or previous.get("observedGeneration") != app.metadata.generation
        or any(status[c] > previous.get(c, 0) for c in ("updatedReplicas", "availableReplicas"))
    )
    return timestamp(now) if moved or not before else str(before)


def until_stuck(app: Pattern, status: Mapping[str, Any], now: float) -> float | None:
    """Return the seconds until the deadline; None when the update is complete, held or past it."""
    progressing = next((c for c in status["conditions"] if c["type"] == ConditionType.PROGRESSING), None)
    if progressing is None or progressing["reason"] != Reason.ROLLING_OUT:
        return None
    return max(0.0, seconds(status["lastProgressTime"]) + app.spec.progress_deadline_seconds - now)
