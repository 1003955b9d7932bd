"""Actions on the Pods of an object, and the plan that they make."""

from __future__ import annotations

from dataclasses import dataclass

MOST_AT_ONCE = 500
"""Pods that one plan creates, updates, or deletes for one reason. One object may want 100,000; the next plan
goes on where this one ends, and the others have their turn in between."""


@dataclass(frozen=True, slots=True)
class Create:
    name: str
    index: int | None
    """The slot, for Stable names."""
    revision: str


@dataclass(frozen=True, slots=True)
class Delete:
    name: str
    uid: str
    reason: str
    """ScaledDown, Outdated, or how a finished Pod ended: Failed, Succeeded, or in its words, as Evicted."""
    revision: str
    """The one that it has."""
    message: str = ""
    """Why it could not be updated in place, in the words of its node or the API server."""


@dataclass(frozen=True, slots=True)
class Update:
    """Bring a running Pod to the newest revision in place."""

    name: str
    uid: str
    revision: str
    """The one that it has now."""


@dataclass(frozen=True, slots=True)
class Refresh:
    """Have a changed configuration brought into a running Pod."""

    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class SetInService:
    """Have a Pod with the readiness gate join its Services, or leave them."""

    name: str
    uid: str
    in_service: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """Actions, in the order in which they are carried out."""

    deletes: tuple[Delete, ...] = ()
    updates: tuple[Update, ...] = ()
    refreshes: tuple[Refresh, ...] = ()
    creates: tuple[Create, ...] = ()
    service_changes: tuple[SetInService, ...] = ()
    wake_after: float | None = None
    """Seconds after which time alone makes a difference; None when only an event can."""
    held_back: bool = False
    """Some actions wait for a limit and are left out."""

    @property
    def complete(self) -> bool:
        """Nothing is left to do."""
        writes = self.deletes, self.updates, self.refreshes, self.service_changes, self.creates
        return not (any(writes) or self.held_back)
