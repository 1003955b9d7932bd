"""The recorder of Events: it writes them beside the work and never in its way.

They are of core/v1: events.k8s.io/v1 refuses the timestamps by which `kubectl describe` sorts.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from podpatterns.api import API_VERSION, GROUP
from podpatterns.api.conditions import EventReason, Reason
from podpatterns.controller.apiserver import ApiError, ApiServer, UnansweredError
from podpatterns.controller.key import Key

BACKLOG = 1_000
"""Events waiting to be sent; more are dropped, as an Event is news and not state."""
NOTE_LENGTH = 1_024
"""Bytes of a message, the API server's limit."""
NAMES_SHOWN = 10
CONTROLLER = f"{GROUP}/operator"
LONGEST_PAUSE = 30.0
"""Seconds that an overloaded server may ask to wait for."""

log = logging.getLogger(__name__)


class Recorder:
    def __init__(self, api: ApiServer) -> None:
        self._api = api
        self._backlog: asyncio.Queue[tuple[str, dict[str, object]]] = asyncio.Queue(BACKLOG)
        self._instance = os.environ.get("POD_NAME") or socket.gethostname()
        self._last_warning: dict[Key, tuple[str, str]] = {}
        self._last_time = 0
        """Time of the last Event in Unix nanoseconds."""

    def normal(self, key: Key, uid: str, reason: EventReason, action: str, note: str) -> None:
        self._record(key, uid, "Normal", reason, action, note)

    def warning(self, key: Key, uid: str, reason: EventReason | Reason, action: str, note: str) -> None:
        """Record a warning once, until another is recorded or it is cleared."""
        if self._last_warning.get(key) != (reason, note):
            self._last_warning[key] = (reason, note)
            self._record(key, uid, "Warning", reason, action, note)

    def clear_warning(self, key: Key) -> None:
        """Let the next warning about the object be recorded, even if it repeats the last."""
        self._last_warning.pop(key, None)

    async def run(self) -> None:
        while True:
            path, event = await self._backlog.get()
            try:
                await self._api.create(path, event)
            except ApiError as error:
                if error.namespace_terminating or error.not_found:
                    continue  # nobody will read it: the namespace goes, or is gone
                log.warning("Event not recorded", extra={"error": str(error)})
                if error.too_many_requests:
                    await asyncio.sleep(min(LONGEST_PAUSE, error.retry_after))
            except UnansweredError as error:
                log.warning("Event not recorded", extra={"error": str(error)})

    def _record(
        self,
        key: Key,
        uid: str,
        kind: Literal["Normal", "Warning"],
        reason: EventReason | Reason,
        action: str,
        note: str,
    ) -> None:
        self._last_time = max(self._last_time + 1, time.time_ns())
        moment = datetime.fromtimestamp(self._last_time / 1e9, UTC)
        seconds = moment.isoformat(timespec="seconds").replace("+00:00", "Z")
        event: dict[str, object] = {
            "apiVersion": "v1",
            "kind": "Event",
            # kubectl describe sorts by lastTimestamp, and those of the same second by their names.
            "metadata": {"name": f"{key.name}.{self._last_time:016x}", "namespace": key.namespace},
            "eventTime": moment.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "firstTimestamp": seconds,
            "lastTimestamp": seconds,
            "count": 1,
            "source": {"component": CONTROLLER},
            "reportingComponent": CONTROLLER,
            "reportingInstance": self._instance[:128],
            "type": kind,
            "reason": reason.value,
            "action": action,
            "message": note.encode()[:NOTE_LENGTH].decode(errors="ignore"),
            "involvedObject": {
                "apiVersion": API_VERSION,
                "kind": key.kind,
                "namespace": key.namespace,
                "name": key.name,
                "uid": uid,
            },
        }
        try:
            self._backlog.put_nowait((f"/api/v1/namespaces/{key.namespace}/events", event))
        except asyncio.QueueFull:
            log.warning("Event dropped", extra={"key": key, "reason": reason.value})


def enumerate_names(names: Sequence[str]) -> str:
    """Return "3 Pods: a, b, c", cut after a few names."""
    shown = ", ".join(names[:NAMES_SHOWN])
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return f"{len(names)} Pod{'' if len(names) == 1 else 's'}: {shown}{more}"
