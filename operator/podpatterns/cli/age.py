"""Ages as kubectl writes them."""

from __future__ import annotations

from datetime import UTC, datetime

UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"))
FROM = 2
"""Units that make the next larger one worth to be said: 90s, and 2m."""


def age(timestamp: str | None, now: datetime | None = None) -> str:
    """Return the time since a metav1.Time, in its largest unit; empty without one."""
    if not timestamp:
        return ""
    seconds = int(((now or datetime.now(UTC)) - datetime.fromisoformat(timestamp)).total_seconds())
    for unit, letter in UNITS:
        if seconds >= FROM * unit:
            return f"{seconds // unit}{letter}"
    return f"{max(0, seconds)}s"
