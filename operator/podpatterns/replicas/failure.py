"""Failures: the reason why the operator could not do its work, and the remedy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from podpatterns.api.conditions import FAILURES, Reason
from podpatterns.api.text import MESSAGE_LENGTH, listed, shown
from podpatterns.replicas.reading import mapping, mappings, text

INTERNAL_LENGTH = 200
"""Bytes of an exception's message; the log has all of it."""
OWNERS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Failure:
    """A reason why something was not done: a refusal, a fact of the cluster or a fault of the operator."""

    reason: Reason
    message: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", shown(self.message, MESSAGE_LENGTH))


def refused(reason: str, message: str) -> Failure:
    """Return the failure of a write that the API server refused, with the server's own reason where the table
    has it."""
    known = next((r for r in FAILURES if r == reason), None)
    return Failure(known, message) if known else Failure(Reason.WRITE_REFUSED, f"{reason}: {message}")


def internal_error(error: BaseException) -> Failure:
    """Return the failure of an unexpected exception."""
    try:
        text = str(error)
    except Exception:
        text = ""  # it is as broken as its subject
    message = shown(f"{type(error).__name__}: {text}" if text else type(error).__name__, INTERNAL_LENGTH)
    return Failure(Reason.INTERNAL_ERROR, f"{message}: the operator tries again; its log has the details")


def name_taken(pod: Mapping[str, Any]) -> Failure:
    """Return the failure for a name that somebody else's Pod has; `pod` is as the API server sent it."""
    meta = mapping(pod.get("metadata"))
    owners = [f"{text(o.get('kind'))} {text(o.get('name'))}" for o in mappings(meta.get("ownerReferences"))]
    whose = f"belongs to {listed(owners, OWNERS_SHOWN, MESSAGE_LENGTH // 2)}" if owners else "has no owner"
    return Failure(
        Reason.POD_NAME_TAKEN,
        f'a Pod "{text(meta.get("name"))}" exists already and {whose}: the operator leaves it alone; '
        "delete it or rename one of the two",
    )


def names_taken(taken: Mapping[str, Failure]) -> Failure | None:
    """Return one failure for all Pods that can't be created (name -> failure): the first, and the number of
    others."""
    if not taken:
        return None
    first = taken[min(taken)]
    others = len(taken) - 1
    more = f"; {others} more Pod{'' if others == 1 else 's'} can't be created" if others else ""
    return Failure(first.reason, first.message + more)
