"""The refusal of a write: its reason, and the time of the next try."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from podpatterns.controller.backoff import LONGEST, backoff
from podpatterns.replicas.failure import Failure

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Refusal:
    """The refusal of one kind of write of one object. The back-off grows until such a write succeeds; a
    corrected object need not wait."""

    failure: Failure | None = None
    """The last failure; None after a success."""
    _failures: int = 0
    _generation: int = 0
    """Generation that the failure is about."""
    _until: float = 0
    """Time of the next try, in monotonic seconds."""
    _logged: float = 0
    """Time of the last line in the log, in monotonic seconds."""
    _logged_delay: float = 0

    def note(
        self, failure: Failure, generation: int, now: float, at_least: float = 0, longest: float = LONGEST
    ) -> float:
        """Note a refusal and log it; return the seconds to wait before the next try."""
        self._failures = self._failures + 1 if self._generation == generation else 1
        self.failure, self._generation = failure, generation
        delay = max(at_least, backoff(self._failures, longest=longest))
        self._until = now + delay
        if delay != self._logged_delay or now - self._logged >= LONGEST:
            # Once for each step of the back-off, and once a minute at its longest.
            self._logged, self._logged_delay = now, delay
            extra = {"reason": failure.reason.value, "error": failure.message, "retry_after": delay}
            log.warning("Refused", extra=extra)
        return delay

    def left(self, generation: int, now: float) -> float:
        """Return the seconds for which a try still has to wait."""
        if self.failure is None or self._generation != generation:
            return 0.0
        return max(0.0, self._until - now)

    def clear(self) -> None:
        """Note that such a write succeeded, or is not wanted any more."""
        self.failure, self._failures = None, 0
