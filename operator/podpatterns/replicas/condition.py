"""Conditions: single judgements on an object's state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from podpatterns.api.conditions import REASONS, ConditionType, Reason
from podpatterns.api.text import MESSAGE_LENGTH, shown
from podpatterns.replicas.pod import timestamp

STATUSES = {True: "True", False: "False", None: "Unknown"}


@dataclass(frozen=True, slots=True)
class Condition:
    type: ConditionType
    status: bool | None
    """None is Unknown."""
    reason: Reason
    message: str

    def __post_init__(self) -> None:
        known = REASONS[ConditionType(self.type)].get(self.status, ())
        if not isinstance(self.reason, Reason) or self.reason not in known:
            found = f"condition {self.type} with status {STATUSES[self.status]} and reason {self.reason}"
            raise ValueError(f"{found}: add it to the table in podpatterns.api.conditions")


def told(previous: Mapping[str, Any], kind: ConditionType) -> Condition | None:
    """Return the condition that a status has already; None for one of another operator's table."""
    for condition in previous.get("conditions") or ():
        if condition["type"] == kind:
            status = next(known for known, written in STATUSES.items() if written == condition["status"])
            with suppress(ValueError):
                return Condition(kind, status, Reason(condition["reason"]), condition["message"])
    return None


def conditions(
    found: Sequence[Condition], generation: int, previous: Mapping[str, Any], now: float
) -> list[dict[str, Any]]:
    """Return metav1.Conditions; one whose status is unchanged keeps its lastTransitionTime."""
    before = {c["type"]: c for c in previous.get("conditions") or ()}
    result = []
    for condition in found:
        status = STATUSES[condition.status]
        old = before.get(condition.type)
        steady = old is not None and old["status"] == status
        result.append(
            {
                "type": condition.type.value,
                "status": status,
                "reason": condition.reason.value,
                "message": shown(condition.message, MESSAGE_LENGTH),
                "observedGeneration": generation,
                "lastTransitionTime": old["lastTransitionTime"] if old and steady else timestamp(now),
            }
        )
    return result
