"""Growing waits: each is twice the one before."""

from __future__ import annotations

FIRST, LONGEST = 0.05, 60.0
"""Seconds after failures. A minute at the longest: so late at most is a lifted quota noticed."""


def backoff(times: int, first: float = FIRST, longest: float = LONGEST) -> float:
    """Return the seconds to wait after so many failures, or rounds without news, in a row."""
    return min(longest, first * 2.0 ** min(times - 1, 20))
