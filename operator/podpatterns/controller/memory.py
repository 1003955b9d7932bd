"""What the controller remembers of an object between two looks; losing it costs nothing but work."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field

from podpatterns.compose import Composition, Problem
from podpatterns.controller.backoff import backoff
from podpatterns.replicas.status import Failure

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""No vowels and no look-alikes, as in the names that Kubernetes generates."""
SUFFIX_LENGTH = 5


@dataclass(slots=True)
class Memory:
    uid: str
    composed: Composition | tuple[Problem, ...] | None = None
    composed_from: tuple[object, ...] = ()
    """UIDs and generations of the object and its parts."""
    names: list[str] = field(default_factory=list)
    """Generated names whose creation was not confirmed yet. Trying again under the same name can't make a
    second Pod, even where the first attempt took place and only its answer was lost."""
    failure: Failure | None = None
    failures: int = 0
    generation: int = 0
    """The one that the failure is about: a corrected object need not wait."""
    hold_until: float = 0
    """No creation before this moment, in monotonic seconds."""

    def fresh_names(self, prefix: str) -> Iterator[str]:
        """Names for Generated Pods: first those not confirmed yet, then new ones."""
        yield from list(self.names)
        while True:
            name = f"{prefix}-{''.join(secrets.choice(ALPHABET) for _ in range(SUFFIX_LENGTH))}"
            self.names.append(name)
            yield name

    def hold(self, failure: Failure, generation: int, now: float, at_least: float) -> float:
        """Note a refused write; returns the seconds to wait before the next creation."""
        self.failures = self.failures + 1 if self.generation == generation else 1
        self.failure, self.generation = failure, generation
        delay = max(at_least, backoff(self.failures))
        self.hold_until = now + delay
        return delay

    def held(self, generation: int, now: float) -> float:
        """Seconds for which creations still wait."""
        if self.failure is None or self.generation != generation:
            return 0.0
        return max(0.0, self.hold_until - now)

    def well(self) -> None:
        self.failure, self.failures = None, 0
