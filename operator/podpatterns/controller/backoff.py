"""Growing waits: each is twice the one before."""

from __future__ import annotations

FIRST, LONGEST = 0.05, 60.0
"""Seconds after failures. A minute at the longest: so late at most is a lifted quota noticed."""


def backoff(failures: int, first: float = FIRST, longest: float = LONGEST) -> float:
    """Return the seconds to wait after that many failures in a row, the first being 1."""
    return min(longest, first * 2.0 ** min(failures - 1, 20))
