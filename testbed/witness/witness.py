"""The witness at work: a thread that watches one namespace while a test or a scenario runs."""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from testbed.eventually import eventually
from testbed.loopthread import LoopThread
from testbed.witness import requests
from testbed.witness.audit_log import AuditLog
from testbed.witness.invariants import Invariants
from testbed.witness.settlement import unsettled
from testbed.witness.violation import Violation
from testbed.witness.watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.witness.audited_cluster import AuditedCluster

QUIET_SECONDS = 0.5
"""After so long without a write the operator is taken to have nothing left to do."""
OUR_KINDS = {"sidecarapps": "SidecarApp", "ambassadors": "Ambassador", "adapters": "Adapter"}


class Witness(LoopThread):
    """Watches `namespace` from its beginning to its end as a context manager.

    Changes of all kinds are put into the one order that resourceVersions give them, and judged in it.
    """

    def __init__(self, cluster: AuditedCluster, namespace: str) -> None:
        super().__init__()
        paths = {f"/api/v1/namespaces/{namespace}/pods": "Pod"}
        for plural, kind in OUR_KINDS.items():
            paths[f"/apis/podpatterns.dev/v1alpha1/namespaces/{namespace}/{plural}"] = kind
        paths[f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"] = "PersistentVolumeClaim"
        self._watchers = [Watcher(cluster.url, cluster.tls, *item) for item in paths.items()]
        self._audit = AuditLog(cluster, namespace)
        self._idle_broken: list[Violation] = []

    def violations(self) -> list[Violation]:
        """Everything so far. Raises what ended the watching, if anything did."""
        self._check()
        changes = [change for watcher in self._watchers for change in list(watcher.changes)]
        changes.sort(key=lambda change: change.version)
        metas = [change.object["metadata"] for change in changes]
        created = {m["uid"]: datetime.fromisoformat(m["creationTimestamp"]).timestamp() for m in metas}
        taken_down = requests.taken_down(self._audit.entries(), self._audit.others(), created)
        invariants = Invariants(taken_down)
        found = [violation for change in changes for violation in invariants.observe(change)]
        found += [violation for entry in self._audit.entries() for violation in requests.judge(entry)]
        return found + self._idle_broken

    @property
    def gaps(self) -> list[str]:
        """Times of which only the end is known, as after a restart of the API server."""
        return [gap for watcher in self._watchers for gap in watcher.gaps]

    def unsettled(self) -> list[str]:
        """Return the reasons for which not everything in the namespace is as wanted."""
        pods, *owners, _ = (list(watcher.objects.values()) for watcher in self._watchers)
        return unsettled([owner for of_kind in owners for owner in of_kind], pods)

    @contextmanager
    def idle(self) -> Iterator[None]:
        """Waits until all is settled and the operator rests; inside, each write of it here is a violation.

        What is done inside should make the operator reconcile, and end with a sign that it has: one that
        reconciles nothing writes nothing.
        """
        eventually(self.unsettled, until=lambda left: not left)
        eventually(self._seconds_of_rest, until=lambda rest: rest > QUIET_SECONDS)
        begin = time.time()
        yield
        end = time.time()
        during = [e for e in self._audit.entries() if begin < requests.received(e) < end]
        written = [e for e in during if not requests.late_news(e, begin)]
        self._idle_broken += [
            Violation(requests.IDLE, requests.describe(entry), str(entry.get("requestObject")))
            for entry in written
        ]

    def _seconds_of_rest(self) -> float:
        return time.time() - max(map(requests.received, self._audit.entries()), default=0)

    async def _serve(self) -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(watcher.run()) for watcher in self._watchers]
            for watcher in self._watchers:
                await watcher.started.wait()
            self._ready.set()
            await self._stop.wait()
            for task in tasks:
                task.cancel()
