"""The back-off after failures."""

from __future__ import annotations

FIRST, LONGEST = 0.05, 60.0
"""Seconds of the first and the longest back-off: a lifted quota is noticed within a minute."""


def backoff(failures: int) -> float:
    """Return the seconds to wait after that many failures in a row, the first being 1."""
    return min(LONGEST, FIRST * 2.0 ** min(failures - 1, 20))
