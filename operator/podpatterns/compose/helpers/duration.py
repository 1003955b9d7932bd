"""Durations in Go's notation, as numbers."""

from __future__ import annotations

import re
from decimal import Decimal

MILLISECONDS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}


def milliseconds(duration: str) -> int:
    """Return the duration in milliseconds, at least 1: 1m30s -> 90000."""
    parts = re.findall(r"([0-9.]+)(ms|s|m|h)", duration)
    return max(1, int(sum(Decimal(number) * MILLISECONDS[unit] for number, unit in parts)))
