"""The state of an object that the controller keeps from one reconcile to the next.

Losing it costs nothing but work.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from podpatterns.api import Pattern
from podpatterns.api.conditions import PodReason, Reason
from podpatterns.compose import Composition
from podpatterns.controller.backoff import LONGEST
from podpatterns.controller.claims import ClaimsState
from podpatterns.controller.refusal import Refusal
from podpatterns.replicas import (
    Create,
    Delete,
    Limits,
    Pod,
    Replacements,
    Wanted,
    backoff_after,
    is_condemned,
)
from podpatterns.replicas.change import Change
from podpatterns.replicas.failure import Failure
from podpatterns.replicas.history import Revision
from podpatterns.replicas.lostpods import LostPods

STATUS_PAUSE = (0.5, 5.0)
"""The shortest and the longest time, in seconds, in which one status tells of all that happens to an object
in motion. A custom resource's status costs the API server three times what a ReplicaSet's does, comes back to
us as an event, and keeps the next reconcile waiting."""
ANSWERS_A_PAUSE = 10
"""In between it is as long as the API server takes for so many writes."""
LONGEST_TAKEN = 5.0
"""Seconds after which a taken name is tried again, at the latest."""
UNANSWERED_SECONDS = 60.0
"""For which a write may take place after we gave up waiting for its answer: the API server's own limit."""
LONG_LIFE = 600.0
"""Seconds after which a Pod's failure is no sign that the next fails too: the kubelet's, for containers."""


@dataclass(slots=True)
class ObjectState:
    uid: str
    begun: tuple[Pattern, Composition] | None = None
    """A new object and what its first Pods are made from, until a status names that revision."""
    first_revision: str = ""
    """The revision that a new object had before its first status named any, if that has changed since."""
    revisions: list[Revision] | None = None
    """The history, while an update is under way; None when nobody needs to know it, or it is to be listed."""
    changes: tuple[str, dict[str, Change]] = ("", {})
    """What brings Pods of older revisions to the newest, which stands first."""
    unanswered: dict[str, tuple[Create, float]] = field(default_factory=dict)
    """Creations without an answer, by name, and until when they may yet take place, in monotonic seconds.
    Trying again under the same name can't make a second Pod."""
    pods: Refusal = field(default_factory=Refusal)
    """Of creations and deletions: no creation before it has waited."""
    updates: Refusal = field(default_factory=Refusal)
    """Of updates in place and of what is refreshed in Pods."""
    not_in_place: tuple[str, dict[str, str]] = ("", {})
    """UID -> the API server's message, of Pods whose update in place it refused; the revision to which they
    were to be brought stands first."""
    history: Refusal = field(default_factory=Refusal)
    config_map: Refusal = field(default_factory=Refusal)
    status: Refusal = field(default_factory=Refusal)
    pod_monitor: Refusal = field(default_factory=Refusal)
    claims: ClaimsState = field(default_factory=ClaimsState)
    internal: Refusal = field(default_factory=Refusal)
    """Of the whole work, by an error of the operator's own: the object is held meanwhile."""
    busy_until: float = 0
    """No write of Pods before this moment, in monotonic seconds: the server asked for it."""
    taken_names: dict[str, Refusal] = field(default_factory=dict)
    """Names of Pods that can't be created now: they are somebody else's, or a claim is missing."""
    status_due: float | None = None
    """When the status of an object in motion is to be written, in monotonic seconds."""

    replacements: Replacements = field(default_factory=Replacements)
    deleted: dict[str, str] = field(default_factory=dict)
    """Why this process deleted Pods (UID -> reason), until they are gone."""
    lost: LostPods = field(default_factory=LostPods)
    failed_pods: int = 0
    """How often in a row Pods of one revision had failed and were cleared away."""
    _failed_revision: str = ""

    @property
    def failure(self) -> Failure | None:
        """What the API server, or a fact of the cluster, refuses: Pods first, then what goes with them."""
        refused = (self.pods, self.updates, self.config_map, self.history)
        return next((r.failure for r in refused if r.failure), None)

    @property
    def taken(self) -> dict[str, Failure]:
        """Why Pods of these names can't be made."""
        return {name: r.failure for name, r in self.taken_names.items() if r.failure}

    def begins_with(self, composition: Composition, status: Mapping[str, Any], pods: Sequence[Pod]) -> bool:
        """The object is new, and has no Pods but those that were made from `composition`."""
        if "updateRevision" in status or (pods and self.begun is None):
            return False
        return self.begun is None or self.begun[1].revision == composition.revision

    def limits(self, wanted: Wanted, pods: Sequence[Pod], generation: int, now: float) -> Limits:
        """Take note of the Pods that are there, and return what limits the next plan."""
        names = {p.name for p in pods}
        self._forget_answered(names, now)
        return Limits(
            backoff=backoff_after(self.failures_of(wanted.revision)),
            lost=self.lost.observe(wanted, pods),
            taken_names=self.names_to_avoid(wanted, names, generation, now),
            unanswered={name: (create, until - now) for name, (create, until) in self.unanswered.items()},
            creates_after=self.pods.left(generation, now),
            updates_after=self.updates.left(generation, now),
        )

    def _forget_answered(self, names: Collection[str], now: float) -> None:
        """Forget creations of Pods that are there, or that can't take place any more."""
        self.unanswered = {
            name: (create, until)
            for name, (create, until) in self.unanswered.items()
            if name not in names and until > now
        }

    def note_unanswered(self, creates: Iterable[Create], now: float) -> None:
        self.unanswered |= {create.name: (create, now + UNANSWERED_SECONDS) for create in creates}

    def note_taken(self, taken: Mapping[str, Failure], generation: int, now: float) -> None:
        """Note names of Pods that can't be created, each for a reason of its own.

        A name that is somebody else's, or a claim's, is tried again soon: no event tells that it is free.
        """
        for name, failure in taken.items():
            self.unanswered.pop(name, None)
            soon = failure.reason in (Reason.POD_NAME_TAKEN, Reason.CLAIM_TERMINATING)
            longest = LONGEST_TAKEN if soon else LONGEST
            self.taken_names.setdefault(name, Refusal()).note(failure, generation, now, longest=longest)

    def note_not_in_place(self, revision: str, refused: Mapping[str, str], pods: Sequence[Pod]) -> None:
        if refused or self.not_in_place[1]:
            known, there = self.refused(revision), {p.uid for p in pods}
            self.not_in_place = revision, {u: m for u, m in {**known, **refused}.items() if u in there}

    def refused(self, revision: str) -> Mapping[str, str]:
        """Return the Pods that can't be brought to the revision in place, with the API server's message."""
        to, refused = self.not_in_place
        return refused if to == revision else {}

    def names_to_avoid(self, wanted: Wanted, created: Iterable[str], generation: int, now: float) -> set[str]:
        """Return the names not to be tried now, and forget those that are not taken, or wanted, any more.

        A generated name is not tried a second time.
        """
        generated = wanted.naming == "Generated"
        gone = {name for name in self.taken_names if generated or is_condemned(wanted, name)}.union(created)
        self.taken_names = {n: r for n, r in self.taken_names.items() if n not in gone}
        return {name for name, refusal in self.taken_names.items() if refusal.left(generation, now)}

    def until_a_name_is_tried(self, generation: int, now: float) -> float | None:
        """Return the seconds until the next taken name may be tried again; None where none waits.

        One that might be tried already, and was not, waits for something else.
        """
        waits = (r.left(generation, now) for r in self.taken_names.values())
        return min((left for left in waits if left > 0), default=None)

    def failures_of(self, revision: str) -> int:
        """Return how often in a row Pods had failed; those of another revision say nothing of this one."""
        if self._failed_revision != revision:
            self._failed_revision, self.failed_pods = revision, 0
        return self.failed_pods

    def carried_out(self, deletes: Sequence[Delete], before: Sequence[Pod], after: Sequence[Pod]) -> None:
        """Note what was done: Pods deleted, and how long failed ones had lived."""
        uids = {p.uid for p in after}
        self.deleted = {uid: why for uid, why in self.deleted.items() if uid in uids}
        now = {d.uid: d.reason for d in deletes}
        self.deleted |= now
        not_failed = (PodReason.OUTDATED, PodReason.SCALED_DOWN)
        cleared = {uid for uid, why in now.items() if why not in not_failed}
        lives = [p.finished_at - p.created for p in before if p.finished_at and p.uid in cleared]
        if lives:
            self.failed_pods = 0 if max(lives) > LONG_LIFE else self.failed_pods + 1

    def status_may_wait(self, now: float, answer_time: float) -> float:
        """Seconds for which the status of an object in motion need not be written yet.

        `answer_time` is what the API server takes for a write now: a busy one is asked more rarely.
        """
        if self.status_due is None:
            shortest, longest = STATUS_PAUSE
            self.status_due = now + min(longest, max(shortest, ANSWERS_A_PAUSE * answer_time))
        return max(0.0, self.status_due - now)
