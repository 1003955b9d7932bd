"""The record of work that ends (restartPolicy OnFailure or Never): Pods that have succeeded and failed.

It lives in the status, like the count of replacements, and so outlives the process and the Pods. A status
that is lost is a fresh start. Pods carry no finalizers for it, as a Job's do: instead the operator deletes a
failed Pod only after it has written the status that counts it. A restart in between counts none twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from podpatterns.api import bounds
from podpatterns.replicas.reading import mapping, text, texts


@dataclass(frozen=True, slots=True)
class Work:
    """The work of one revision, as the status has it."""

    revision: str = ""
    """Its hash. Another revision's work begins anew."""
    succeeded: int = 0
    """Pods that have succeeded, whether they are still there or not."""
    completed: frozenset[int] = frozenset()
    """Their ordinals, with stable names."""
    failed: int = 0
    """Pods that have failed."""
    failed_pods: frozenset[str] = frozenset()
    """UIDs of those that were still there."""
    exceeded: bool = False
    """More failed than spec.backoffLimit allows: the work has failed, for good."""

    @classmethod
    def recorded(
        cls,
        status: Mapping[str, Any],
        revision: str,
        *,
        paused: bool = False,
        unchanged: Collection[str] = (),
    ) -> Work:
        """Return the work of `revision` by a status; while an update is paused, that of the one before.

        Work of a revision that is the same but for an order, one of the `unchanged`, is not done again.
        """
        record = mapping(status.get("work"))
        found = recorded_revision(status)
        if found in unchanged:
            found = revision
        if not found or (found != revision and not paused):
            return cls(revision)
        return cls(
            found,
            _count(record.get("succeeded")),
            frozenset(ordinals(text(record.get("completedIndexes")))),
            _count(status.get("failed")),
            frozenset(texts(record.get("failedPods"))),
            record.get("backoffLimitExceeded") is True,
        )

    def record(self) -> dict[str, Any]:
        """Return the status that says so."""
        record: dict[str, Any] = {"revision": self.revision, "succeeded": self.succeeded}
        if self.completed:
            record["completedIndexes"] = ranges(self.completed)
        if self.failed_pods:
            record["failedPods"] = sorted(self.failed_pods)
        if self.exceeded:
            record["backoffLimitExceeded"] = True
        return {"failed": self.failed, "work": record}


NO_WORK = Work()


def recorded_revision(status: Mapping[str, Any]) -> str:
    """Return the revision whose work a status has recorded; empty if it has none."""
    return text(mapping(status.get("work")).get("revision"))


def ranges(found: Iterable[int]) -> str:
    """Return ordinals as a Job's status.completedIndexes: 0,2-5; without the highest where they are many."""
    runs = (
        [ordinal for _, ordinal in run]
        for _, run in groupby(enumerate(sorted(found)), key=lambda item: item[1] - item[0])
    )
    result = ""
    for run in runs:
        told = f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0])
        longer = f"{result},{told}" if result else told
        if len(longer) > bounds.INDEXES:
            break
        result = longer
    return result


def ordinals(written: str) -> Iterator[int]:
    """Yield the ordinals in such a text, each once; nothing of what has another form."""
    end = 0
    for first, last in sorted(_runs(written)):
        yield from range(max(first, end), last + 1)
        end = max(end, last + 1)


def _runs(written: str) -> Iterator[tuple[int, int]]:
    for run in written.split(","):
        first, _, last = run.partition("-")
        last = last or first
        if first.isdecimal() and last.isdecimal() and max(len(first), len(last)) <= bounds.INDEX_DIGITS:
            yield int(first), int(last)


def _count(value: object) -> int:
    return max(0, value) if isinstance(value, int) else 0
