"""Growing waits after failures."""

from __future__ import annotations

FIRST, LONGEST = 0.05, 60.0
"""Seconds. A minute at the longest: so late at most is a lifted quota or a freed name noticed."""


def backoff(failures: int) -> float:
    """Seconds to wait after that many failures in a row, the first being 1."""
    return min(LONGEST, FIRST * 2.0 ** min(failures - 1, 20))
