"""The Pods that a paused object has lost: they come back at the revision that they had.

Fed with the Pods of one reconcile after the other. What is remembered in between is lost with the process;
then they come back at the revision from before the update.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from podpatterns.replicas.ordinal import is_condemned
from podpatterns.replicas.pod import Pod
from podpatterns.replicas.wanted import Wanted


@dataclass(slots=True)
class LostPods:
    _revisions: dict[str, str] = field(default_factory=dict)
    """By name: of the Pods that are there, and of those lost."""

    def observe(self, wanted: Wanted, pods: Sequence[Pod]) -> dict[str, str]:
        """Return the revisions of the Pods that are gone and wanted back, by name."""
        if not wanted.paused:
            self._revisions = {}
            return {}
        present = {p.name: p.revision for p in pods}
        lost = {n: r for n, r in self._revisions.items() if n not in present and not is_condemned(wanted, n)}
        # Never more can be missing than are wanted and not there.
        missing = max(0, wanted.replicas - sum(1 for p in pods if p.live))
        lost = dict(list(lost.items())[-missing:]) if missing else {}
        self._revisions = {**lost, **present}
        return lost
