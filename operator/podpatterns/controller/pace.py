"""The pace of polls of an object's Pods: from one round a second to one in five minutes."""

from __future__ import annotations

from dataclasses import dataclass

from podpatterns.controller.backoff import backoff

FIRST, LONGEST = 1.0, 300.0
"""Seconds between two rounds: the first pause, and what it grows to."""
STEADY = 60.0
"""Seconds without another answer, after which one is news again."""


@dataclass(slots=True)
class Pace:
    """Pauses double from round to round whether answers differ or not: each that differs is written, and a
    Pod can answer differently each time.

    The first pause comes back when answers are nearer to what is wanted than they ever were, which can happen
    only so often, and when they turn after a steady time. Other targets have a new pace.
    """

    steps: int = 0
    """Rounds since the last first pause, which counts."""
    fewest: int | None = None
    """What was ever lacking at the least."""
    turned: float = 0
    """When the answers last became others, in monotonic seconds."""

    def next(self, lacking: int, *, changed: bool, now: float) -> float:
        """Return the pause after a round in which so much was still lacking."""
        nearer = self.fewest is None or lacking < self.fewest
        news = changed and now - self.turned >= STEADY
        self.steps = 1 if nearer or news else self.steps + 1
        self.fewest = lacking if self.fewest is None else min(lacking, self.fewest)
        if changed:
            self.turned = now
        return backoff(self.steps, FIRST, LONGEST)
