"""Limits of a plan: what earlier ones met, and what has to wait for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from podpatterns.replicas.actions import Create, Plan
from podpatterns.replicas.ordinal import is_condemned
from podpatterns.replicas.wanted import Wanted

FIRST_BACKOFF, LONGEST_BACKOFF = 10.0, 300.0
"""Seconds from the creation of a Pod that failed to its replacement: no hot loop of dying Pods."""


@dataclass(frozen=True, slots=True)
class Limits:
    backoff: float = FIRST_BACKOFF
    """Seconds from the creation of a Pod that failed to its replacement, at least."""
    lost: Mapping[str, str] = field(default_factory=dict)
    """Name -> revision of each Pod that went and that none has replaced yet: while an update is paused it
    comes back as it was."""
    taken_names: Collection[str] = ()
    """Names that somebody else's Pods have, not to be tried now: their slots stay empty."""
    unanswered: Mapping[str, tuple[Create, float]] = field(default_factory=dict)
    """Name -> a creation that was never answered, and the seconds for which it may still take place."""
    creates_after: float = 0
    """Seconds until Pods may be created or updated: a creation or a deletion was refused."""
    updates_after: float = 0
    """Seconds until Pods may be updated in place: an update was refused."""


UNLIMITED = Limits()


def backoff_after(failures: int) -> float:
    """Return the back-off of a failed Pod in seconds after so many failures, as the kubelet does."""
    return min(LONGEST_BACKOFF, FIRST_BACKOFF * 2.0 ** min(failures, 20))


def limited(todo: Plan, wanted: Wanted, limits: Limits) -> Plan:
    """Return the plan without what has to wait."""
    return _unanswered_first(_without_refused(todo, limits), wanted, limits.unanswered)


def _without_refused(todo: Plan, limits: Limits) -> Plan:
    if wait := limits.creates_after:
        held = todo.held_back or bool(todo.creates)
        # No Pod leaves its Services for an update that has to wait.
        back = tuple(change for change in todo.service_changes if change.in_service)
        held |= len(back) < len(todo.service_changes)
        todo = replace(
            todo,
            creates=(),
            service_changes=back,
            wake_after=min(wait, todo.wake_after or wait),
            held_back=held,
        )
    if limits.updates_after:
        held = todo.held_back or bool(todo.service_changes)
        todo = replace(todo, service_changes=(), held_back=held)
    if wait := limits.creates_after or limits.updates_after:
        held = todo.held_back or bool(todo.updates or todo.refreshes)
        wake = min(wait, todo.wake_after or wait)
        todo = replace(todo, updates=(), refreshes=(), wake_after=wake, held_back=held)
    return todo


def _unanswered_first(todo: Plan, wanted: Wanted, unanswered: Mapping[str, tuple[Create, float]]) -> Plan:
    """As many creations as planned, but those first that were asked for and never answered.

    Of other names, as of an object whose podNaming has changed since, there would be one too many if they
    took place after all. One that is not wanted any more, as after scaling down, isn't asked for again: it
    keeps a place until it shows, or can't any more.
    """
    planned = {create.name: create for create in todo.creates}
    condemned = [left for name, (_, left) in unanswered.items() if is_condemned(wanted, name)]
    again = [
        planned.get(name, create)
        for name, (create, _) in unanswered.items()
        if not is_condemned(wanted, name)
    ]
    others = [create for create in todo.creates if create.name not in unanswered]
    room = max(0, len(todo.creates) - len(condemned))
    creates = (*again, *others)[:room]
    if len(creates) == len(todo.creates):
        return replace(todo, creates=creates)
    left = min(condemned)
    return replace(todo, creates=creates, wake_after=min(left, todo.wake_after or left), held_back=True)
