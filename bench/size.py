"""How much a run does."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    rounds: int
    """Rounds of everything that is repeated; figures are medians over them."""
    replacements: int
    """Pods deleted, one after another, of each subject in a round."""
    large: int
    """Pods of the one large object."""
    updated: int
    """Pods whose helper is updated."""
    many: int
    """Objects of one Pod each."""
    most: int
    """The same, for what shows at scale only."""


FULL = Size(rounds=3, replacements=100, large=500, updated=100, many=1_000, most=10_000)
QUICK = Size(rounds=1, replacements=10, large=50, updated=20, many=100, most=300)
