"""Events that the operator records about an object."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from podpatterns.api import Pattern
from podpatterns.api.conditions import EventReason, PodReason, Reason
from podpatterns.compose import Problem
from podpatterns.controller.executor import ONLY_THE_REVISION, Outcome
from podpatterns.controller.key import Key
from podpatterns.controller.objectstore import Entry
from podpatterns.controller.recorder import Recorder, enumerate_names
from podpatterns.replicas import Delete
from podpatterns.replicas.change import Change
from podpatterns.replicas.failure import Failure, names_taken

log = logging.getLogger(__name__)


class Events:
    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def problems(self, entry: Entry, problems: Sequence[Problem]) -> None:
        """Record the faults for which no Pod can be made of the object."""
        text = "; ".join(map(str, problems))
        self._recorder.warning(entry.key, entry.uid, problems[0].reason, "Compose", text)

    def refused(self, entry: Entry, failure: Failure) -> None:
        """Record a write that the API server, or a fact of the cluster, refused."""
        note = f"{failure.reason}: {failure.message}"
        self._recorder.warning(entry.key, entry.uid, EventReason.FAILED_WRITE, "Write", note)

    def stalled(self, entry: Entry, reason: Reason, message: str) -> None:
        """Record a rollout that has exceeded its deadline, or work that has failed."""
        self._recorder.warning(entry.key, entry.uid, reason, "Rollout", message)

    def no_pod_monitor(self, entry: Entry, why: str) -> None:
        self._recorder.warning(entry.key, entry.uid, EventReason.POD_MONITOR_NOT_WRITTEN, "Write", why)

    def revision_ignored(self, app: Pattern, name: str, why: str) -> None:
        """Record a ControllerRevision with the object's labels that no operator wrote for it."""
        key = Key(app.kind, app.metadata.namespace, app.metadata.name)
        log.warning("ControllerRevision ignored", extra={"key": key, "revision": name, "error": why})
        note = f"ControllerRevision {name} has this object's labels, and the operator ignores it: {why}"
        self._recorder.warning(key, app.metadata.uid, EventReason.REVISION_IGNORED, "Read", note)

    def adopted(self, entry: Entry, pods: Sequence[str]) -> None:
        """Record the orphans that came to the object."""
        note = f"Adopted {enumerate_names(pods)}"
        self._recorder.normal(entry.key, entry.uid, EventReason.ADOPTED, "Adopt", note)

    def pods(self, entry: Entry, outcome: Outcome, changes: Mapping[str, Change]) -> None:
        """Record the Pods that were created, updated and deleted, and the write that was refused."""
        key, uid = entry.key, entry.uid
        if outcome.created:
            self._recorder.normal(
                key,
                uid,
                EventReason.SUCCESSFUL_CREATE,
                "Create",
                f"Created {enumerate_names(outcome.created)}",
            )
        for why in sorted({_why(d, changes) for d in outcome.deleted}):
            names = enumerate_names([d.name for d in outcome.deleted if _why(d, changes) == why])
            self._recorder.normal(
                key, uid, EventReason.SUCCESSFUL_DELETE, "Delete", f"Deleted {names} ({why})"
            )
        for revision in sorted({u.revision for u in outcome.updated}):
            names = enumerate_names([u.name for u in outcome.updated if u.revision == revision])
            note = f"Updated {names} in place ({str(changes[revision]) or ONLY_THE_REVISION})"
            self._recorder.normal(key, uid, EventReason.SUCCESSFUL_UPDATE, "Update", note)
        if failure := outcome.failure or names_taken(outcome.taken):
            self.refused(entry, failure)
        elif outcome.created or outcome.updated:
            self._recorder.clear_warning(key)


def _why(delete: Delete, changes: Mapping[str, Change]) -> str:
    """Return the reason; of an outdated Pod also the change that it could not take in place, or why."""
    what = delete.message or changes.get(delete.revision)
    return f"{delete.reason}: {what}" if delete.reason == PodReason.OUTDATED and what else delete.reason
