"""The record of replacements: which Pod took over from which, why, and how long it took.

Fed with the Pods of one reconcile after the other. What is kept between two is lost with the process;
a replacement under way then goes unrecorded, nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from podpatterns.api.conditions import PodReason
from podpatterns.replicas.pod import Pod


@dataclass(frozen=True, slots=True)
class Departure:
    """A Pod that stopped counting as a replica."""

    name: str
    uid: str
    reason: str
    """Deleted (by somebody else), Outdated, Failed, Evicted, …"""
    at: float
    """Unix seconds."""


@dataclass(frozen=True, slots=True)
class Replacement:
    name: str
    old_uid: str
    new_uid: str
    reason: str
    time: float
    """When the successor was created, in Unix seconds."""
    took: float
    """Seconds from the departure until the successor was ready."""


@dataclass(slots=True)
class Replacements:
    """State between two reconciles: who was there, who left, who has come and isn't ready yet, and what was
    completed and has not reached the status yet."""

    _live: dict[str, Pod] = field(default_factory=dict)
    _departed: list[Departure] = field(default_factory=list)
    _coming: dict[str, Departure] = field(default_factory=dict)
    _completed: list[Replacement] = field(default_factory=list)

    def observe(
        self,
        pods: Sequence[Pod],
        replicas: int,
        ours: Mapping[str, str],
        now: float,
        recorded: Collection[str] = (),
    ) -> list[Replacement]:
        """The replacements that were completed and are not recorded yet, in their order.

        `ours` tells why the operator itself deleted Pods (UID -> reason); `replicas` is how many are wanted:
        a Pod that left because fewer are wanted has no successor. `recorded` has the successors' UIDs that
        the status tells, perhaps the newest only: a write that failed leaves them out, one whose answer was
        lost does not. A Pod that has done its work is there as long as it isn't deleted.
        """
        by_uid = {p.uid: p for p in pods}
        for uid, before in self._live.items():
            present = by_uid.get(uid)
            if present is None or not _is_there(present):
                self._leave(before, present, ours, now)
        live = {uid: p for uid, p in by_uid.items() if _is_there(p)}
        for uid in live.keys() - self._live.keys():
            self._arrive(live[uid])
        self._live = live
        # Never more can be missing than are wanted and not there.
        missing = max(0, replicas - len(live))
        self._departed = self._departed[len(self._departed) - missing :] if missing else []
        told = [i for i, replacement in enumerate(self._completed) if replacement.new_uid in recorded]
        self._completed = self._completed[told[-1] + 1 :] if told else self._completed
        self._completed += self._complete(live, now)
        return list(self._completed)

    def _leave(self, before: Pod, present: Pod | None, ours: Mapping[str, str], now: float) -> None:
        self._coming.pop(before.uid, None)
        reason = ours.get(before.uid, PodReason.DELETED)
        if present is not None and present.finished:
            reason = present.reason or present.phase
        self._departed.append(Departure(before.name, before.uid, reason, now))

    def _arrive(self, pod: Pod) -> None:
        """Under its old name if one left by that name, else for whoever left first."""
        back = [d for d in self._departed if d.uid == pod.uid]
        if back or not self._departed:
            # A Pod that was Failed runs again: nobody replaces it.
            self._departed = [d for d in self._departed if d not in back]
            return
        same = (d for d in self._departed if d.name == pod.name)
        departure = next(same, self._departed[0])
        self._departed.remove(departure)
        self._coming[pod.uid] = departure

    def _complete(self, live: Mapping[str, Pod], now: float) -> Iterator[Replacement]:
        for uid in [uid for uid in self._coming if live[uid].ready_since is not None or live[uid].finished]:
            pod, gone = live[uid], self._coming.pop(uid)
            yield Replacement(pod.name, gone.uid, uid, gone.reason, pod.created, max(0.0, now - gone.at))


def _is_there(pod: Pod) -> bool:
    return pod.live or pod.done
