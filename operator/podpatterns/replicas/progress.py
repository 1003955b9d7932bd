"""Progress of a rollout, for the conditions Ready, Progressing and Stalled and for status.lastProgressTime.

As Deployment's: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#progressing-deployment
A rollout ends when it is complete. A Pod that is lost or unready later, or scaling, begins no other, and so
can't exceed its deadline. Neither can work that ends: a Pod that has run has been reached by the rollout,
however long it works and however often it fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from podpatterns.api import Pattern
from podpatterns.api.conditions import ConditionType, Reason
from podpatterns.replicas.completion import completed_elsewhere, is_of_work, tally
from podpatterns.replicas.condition import Condition
from podpatterns.replicas.observed import Observed
from podpatterns.replicas.pod import Pod, seconds, timestamp
from podpatterns.replicas.rollout import is_outdated, is_updated_in_place
from podpatterns.replicas.unhealthy import unhealthy
from podpatterns.replicas.wanted import Wanted
from podpatterns.replicas.work import Work

PROGRESSING = ConditionType.PROGRESSING
UNDER_WAY = (Reason.ROLLING_OUT, Reason.PROGRESS_DEADLINE_EXCEEDED)
"""Reasons of Progressing for which the deadline's clock runs."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """Pods that the newest revision has reached."""

    updated: int
    """Pods of the newest revision whose nodes have applied its changes."""
    available: int
    live: int
    """Pods that count as replicas: those that are live, and those that have done their work."""
    done: int = 0
    """Replicas that have done their work."""
    succeeded: int = 0
    """Of these those that the update is not to reach."""
    gone: int = 0
    """Of these those whose Pods are gone."""
    started: int = 0
    """Replicas of work that ends whose Pods have run; those that failed are not among `live`."""
    work: Work | None = None
    """The work, if it ends."""
    completed: bool = False
    """The rollout of this revision was complete before, and no Pod of another one has come since."""
    behind: bool = False
    """The revision is the last good one, and the object asks for another: nothing of it is complete, and its
    work has neither succeeded nor failed."""

    @classmethod
    def of(
        cls,
        app: Pattern,
        wanted: Wanted | None,
        observed: Observed,
        previous: Mapping[str, Any],
        update_revision: str,
    ) -> Rollout:
        """Return the rollout to `wanted`, which status names `update_revision`; None where there is none."""
        work = None
        if wanted:
            recorded = Work.recorded(
                previous, wanted.revision, paused=wanted.paused, unchanged=wanted.unchanged
            )
            wanted = replace(wanted, work=recorded)
            work = tally(wanted, observed.pods) if wanted.works else None
        live = [p for p in observed.pods if p.live or p.done]
        gone = completed_elsewhere(wanted, observed.pods) if wanted else 0
        behind = wanted is not None and wanted.holds and wanted.unwritten != wanted.revision
        return cls(
            updated=sum(1 for p in live if wanted and p.has_arrived_at(wanted.revision)),
            available=sum(1 for p in live if p.available(observed.now, app.spec.min_ready_seconds)),
            live=len(live),
            done=gone + sum(1 for p in live if not p.live),
            succeeded=gone + (_succeeded(wanted, live) if wanted else 0),
            gone=gone,
            started=gone + sum(1 for p in observed.pods if wanted and _has_run(wanted, p)) if work else 0,
            work=work,
            completed=wanted is not None
            and not behind
            and _reason(previous) == Reason.REVISION_COMPLETE
            and previous.get("updateRevision") in (None, update_revision)  # none where no history can be kept
            and all(p.is_of(wanted.revision) for p in live),
            behind=behind,
        )

    @property
    def outdated(self) -> int:
        """Number of Pods that the newest revision has not reached."""
        return 0 if self.completed else self.live - self.updated

    @property
    def failed(self) -> bool:
        """True for work that has failed."""
        return self.work is not None and self.work.exceeded and not self.behind

    def worked(self, app: Pattern) -> bool:
        """Return whether the work is complete: work of no Pods never is."""
        if self.work is None or self.work.exceeded or self.behind:
            return False
        return self.succeeded >= app.spec.replicas > 0

    def enough(self, app: Pattern) -> bool:
        """Return whether all replicas are available or have done their work."""
        return self.available + self.done >= app.spec.replicas

    def exact(self, app: Pattern) -> bool:
        """Return whether there are as many replicas as are wanted."""
        return self.live + self.gone == app.spec.replicas

    def complete(self, app: Pattern) -> bool:
        """Return whether every Pod is of the newest revision and available; of work that ends, has run."""
        if self.behind or self.outdated:
            return False
        return self.started >= app.spec.replicas if self.work else self.enough(app) and self.exact(app)

    def ended(self, app: Pattern) -> bool:
        """Return whether the rollout is or has been complete, whatever became of the Pods since."""
        return self.completed or self.complete(app)

    def updated_of(self, app: Pattern) -> str:
        return f"{self.updated} of {app.spec.replicas} Pods have the newest revision"

    def held(self, app: Pattern) -> tuple[Reason, str] | None:
        """Return reason and message where the spec stops the update here."""
        strategy, replicas = app.spec.update_strategy, app.spec.replicas
        if not self.outdated:
            return None
        if strategy.paused:
            return Reason.PAUSED, "spec.updateStrategy.paused is true"
        if strategy.type == "OnDelete":
            return Reason.ON_DELETE, "the other Pods get it when they are deleted (spec.updateStrategy.type)"
        if strategy.partition and self.updated + self.gone >= replicas - strategy.partition:
            message = f"spec.updateStrategy.partition keeps {strategy.partition} at the old one"
            return Reason.PARTITION_REACHED, message
        return None

    def arrived(self, app: Pattern) -> bool:
        """Return whether the newest revision has reached all Pods that it is to reach: all, or with OnDelete
        and a partition as many as StatefulSet asks for (`kubectl rollout status`)."""
        held = self.held(app)
        return not self.outdated or (held is not None and held[0] is not Reason.PAUSED)


def last_progress(
    status: Mapping[str, Any], previous: Mapping[str, Any], now: float, *, under_way: bool
) -> str:
    """Return the metav1.Time of the last progress; `status` has the present counts.

    One that is under way makes progress when it begins or resumes, when fewer Pods are outdated and when more
    are available. Pods that scaling adds are no progress: a stuck rollout stays stuck.
    """
    before = previous.get("lastProgressTime")
    named = previous.get("updateRevision")  # by nobody while no revision can be kept
    moved = (
        (named is not None and named != status.get("updateRevision"))
        or (under_way and _reason(previous) not in UNDER_WAY)
        or status["availableReplicas"] > previous.get("availableReplicas", 0)
        or _outdated(status) < _outdated(previous)
        or any(status.get(count, 0) > previous.get(count, 0) for count in ("succeeded", "failed"))
    )
    return timestamp(now) if moved or not before else str(before)


def until_stuck(app: Pattern, status: Mapping[str, Any], now: float) -> float | None:
    """Return the seconds until the deadline; None when the update is complete, held or past it."""
    if _reason(status) != Reason.ROLLING_OUT:
        return None
    return max(0.0, seconds(status["lastProgressTime"]) + app.spec.progress_deadline_seconds - now)


def progressing(app: Pattern, observed: Observed, rollout: Rollout, status: Mapping[str, Any]) -> Condition:
    """Return the condition Progressing; `status` has the time of the last progress."""
    if observed.problems:
        reason = observed.problems[0].reason
        return Condition(PROGRESSING, False, reason, "waiting for the object to be corrected")
    if rollout.failed:
        return Condition(PROGRESSING, False, Reason.BACKOFF_LIMIT_EXCEEDED, failure_of(observed, rollout))
    count = rollout.updated_of(app)
    if rollout.ended(app):
        return Condition(PROGRESSING, True, Reason.REVISION_COMPLETE, count)
    if error := observed.error:
        return Condition(PROGRESSING, False, error.reason, f"{count}; {error.message}")
    if held := rollout.held(app):
        reason, why = held
        return Condition(PROGRESSING, reason is not Reason.PAUSED, reason, f"{count}; {why}")
    idle = observed.now - seconds(status["lastProgressTime"])
    stuck = idle >= app.spec.progress_deadline_seconds
    notes = [count, f"no progress for {app.spec.progress_deadline_seconds} s"] if stuck else [count]
    if names := unhealthy(observed.pods, observed.composition):
        notes.append(f"unhealthy: {names}")
    reason = Reason.PROGRESS_DEADLINE_EXCEEDED if stuck else Reason.ROLLING_OUT
    return Condition(PROGRESSING, not stuck, reason, "; ".join(notes))


def stalled(progressing: Condition) -> Iterator[Condition]:
    """Yield it only where it is True, as kstatus asks of conditions about what is abnormal."""
    if progressing.reason in (Reason.PROGRESS_DEADLINE_EXCEEDED, Reason.BACKOFF_LIMIT_EXCEEDED):
        yield Condition(ConditionType.STALLED, True, progressing.reason, progressing.message)


def newly_stalled(status: Mapping[str, Any], previous: Mapping[str, Any]) -> tuple[Reason, str] | None:
    """Return reason and message of a rollout that has exceeded its deadline since `previous`, or of work that
    has failed since; None otherwise."""
    was, now = (
        {c["type"]: c for c in of.get("conditions") or () if c["status"] == "True"}
        for of in (previous, status)
    )
    stalled = now.get(ConditionType.STALLED)
    if stalled is None or ConditionType.STALLED in was:
        return None
    return Reason(stalled["reason"]), stalled["message"]


def failure_of(observed: Observed, rollout: Rollout) -> str:
    """Return the message of work that has failed."""
    failed = rollout.work.failed if rollout.work else 0
    count = f"more failures of Pods or containers than spec.backoffLimit allows; {failed} Pods failed"
    names = unhealthy([p for p in observed.pods if p.phase == "Failed"], observed.composition)
    return f"{count}; unhealthy: {names}" if names else count


def _has_run(wanted: Wanted, pod: Pod) -> bool:
    """Return whether a Pod of the newest revision runs or has run: it may have failed, and wait to be
    replaced."""
    return not pod.terminating and pod.phase != "Pending" and pod.has_arrived_at(wanted.revision)


def _succeeded(wanted: Wanted, live: Sequence[Pod]) -> int:
    """Return the number of Pods that have done their work and that the update is not to reach.

    A pause ends, and the update goes on: meanwhile the work before it counts, and no mixture of both.
    """
    going_on = replace(wanted, paused=False)
    done = [p for p in live if p.done]
    old = sum(
        1
        for p in done
        if is_outdated(going_on, p) and not is_updated_in_place(going_on, p) and not is_of_work(wanted, p)
    )
    kept = min(old, wanted.partition) if wanted.naming == "Generated" else 0
    return len(done) - old + kept


def _outdated(status: Mapping[str, Any]) -> int:
    return int(status.get("replicas", 0) - status.get("updatedReplicas", 0))


def _reason(status: Mapping[str, Any]) -> str:
    """Return the reason of the condition Progressing."""
    found = (c for c in status.get("conditions") or () if c["type"] == PROGRESSING)
    return next((str(c["reason"]) for c in found), "")
