"""Failures: what kept the operator from a write, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from podpatterns.api.conditions import FAILURES, Reason
from podpatterns.api.text import MESSAGE_LENGTH, listed, shown
from podpatterns.replicas.reading import mapping, mappings, text

INTERNAL_LENGTH = 200
"""Bytes of an exception's own words; the log has all of them."""
OWNERS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Failure:
    """The API server, a fact of the cluster or a fault of the operator kept something from being done."""

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
    """An exception that nobody foresaw."""
    try:
        words = str(error)
    except Exception:
        words = ""  # it is as broken as what it is about
    message = shown(f"{type(error).__name__}: {words}" if words else type(error).__name__, INTERNAL_LENGTH)
    return Failure(Reason.INTERNAL_ERROR, f"{message}: the operator tries again; its log has the details")


def name_taken(pod: Mapping[str, Any]) -> Failure:
    """Somebody else's Pod has a name that is wanted; `pod` is as the server sent it."""
    meta = mapping(pod.get("metadata"))
    owners = [f"{text(o.get('kind'))} {text(o.get('name'))}" for o in mappings(meta.get("ownerReferences"))]
    whose = f"belongs to {listed(owners, OWNERS_SHOWN, MESSAGE_LENGTH // 2)}" if owners else "has no owner"
    return Failure(
        Reason.POD_NAME_TAKEN,
        f'a Pod "{text(meta.get("name"))}" exists already and {whose}: the operator leaves it alone; '
        "delete it or rename one of the two",
    )


def names_taken(taken: Mapping[str, Failure]) -> Failure | None:
    """One for all names (name -> why): the first of them, and how many others there are."""
    if not taken:
        return None
    first = taken[min(taken)]
    others = len(taken) - 1
    more = f"; so {'is' if others == 1 else 'are'} {others} more" if others else ""
    return Failure(first.reason, first.message + more)
