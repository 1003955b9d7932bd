"""Conditions: single judgements on how an object fares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from podpatterns.api.text import MESSAGE_LENGTH, shown
from podpatterns.replicas.pod import timestamp

WORDS = {True: "True", False: "False", None: "Unknown"}
REASON_LENGTH = 128
"""Bytes. Whatever it is about, a condition is short: the whole status has room beside it."""


@dataclass(frozen=True, slots=True)
class Condition:
    type: str
    status: bool | None
    """None where it can't be known."""
    reason: str
    message: str


def told(previous: Mapping[str, Any], kind: str) -> Condition | None:
    """What a status says already."""
    for condition in previous.get("conditions") or ():
        if condition["type"] == kind:
            status = next(known for known, word in WORDS.items() if word == condition["status"])
            return Condition(kind, status, condition["reason"], condition["message"])
    return None


def conditions(
    found: Sequence[Condition], generation: int, previous: Mapping[str, Any], now: float
) -> list[dict[str, Any]]:
    """As metav1.Conditions; one that did not turn keeps its lastTransitionTime."""
    before = {c["type"]: c for c in previous.get("conditions") or ()}
    result = []
    for condition in found:
        status = WORDS[condition.status]
        old = before.get(condition.type)
        steady = old is not None and old["status"] == status
        result.append(
            {
                "type": condition.type,
                "status": status,
                "reason": shown(condition.reason, REASON_LENGTH),
                "message": shown(condition.message, MESSAGE_LENGTH),
                "observedGeneration": generation,
                "lastTransitionTime": old["lastTransitionTime"] if old and steady else timestamp(now),
            }
        )
    return result
