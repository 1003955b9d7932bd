"""An operator that is to stay unharmed, and what it asks the API server for meanwhile."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from testbed.cluster.control_plane import ControlPlane
from testbed.cluster.operator_process import OperatorProcess
from testbed.eventually import eventually
from testbed.witness.audit_log import AuditLog
from testbed.witness.requests import received

PAUSE_SECONDS = 3.0
"""A back-off that has grown to this is no hot loop."""
WRITES = 30
"""More than any story here needs until then, an Event for each thing done included."""
MIB = 1 << 20


@contextmanager
def unharmed(operator: OperatorProcess) -> Iterator[None]:
    """Assert that the operator survives the block."""
    pid = operator.pid
    yield
    assert not operator.ended, "the operator has ended"
    assert operator.pid == pid


class Writes:
    """The operator's writes in a namespace from now on, the refused ones too."""

    def __init__(self, control_plane: ControlPlane, namespace: str) -> None:
        self._log = AuditLog(control_plane, namespace)

    def of(self, verb: str, resource: str) -> list[dict[str, Any]]:
        """`resource` is the plural, with the subresource: pods, sidecarapps/status."""
        return [e for e in self._log.entries() if (e["verb"], _resource(e)) == (verb, resource)]

    def pause(self) -> int:
        """Returns when the operator has written nothing for a while; says how often it had until then."""
        eventually(
            self._seconds_since_the_last,
            until=lambda seconds: seconds > PAUSE_SECONDS,
        )
        return len(self._log.entries())

    def _seconds_since_the_last(self) -> float:
        return time.time() - max(map(received, self._log.entries()), default=0)


def _resource(entry: dict[str, Any]) -> str:
    reference = entry["objectRef"]
    return "/".join(filter(None, map(reference.get, ("resource", "subresource"))))


def resident_peak(operator: OperatorProcess) -> float:
    """MiB: the most memory that the process ever had."""
    return _memory(operator, "VmHWM")


def resident(operator: OperatorProcess) -> float:
    """MiB: the memory that the process has."""
    return _memory(operator, "VmRSS")


def _memory(operator: OperatorProcess, name: str) -> float:
    status = Path(f"/proc/{operator.pid}/status").read_text()
    found = re.search(rf"^{name}:\s+(\d+) kB$", status, re.MULTILINE)
    assert found, status
    return int(found[1]) * 1024 / MIB


def logged(operator: OperatorProcess, since: int, *words: str) -> list[dict[str, Any]]:
    """Warnings and worse, after the first `since` messages, in which all the words are."""
    return [
        message
        for message in operator.messages()[since:]
        if str(message.get("severity", "")).lower() in ("warn", "warning", "error", "critical", "fatal")
        and all(word in json.dumps(message) for word in words)
    ]


def told(obj: dict[str, Any]) -> str:
    """All messages of the object's conditions."""
    conditions = obj.get("status", {}).get("conditions", [])
    return "\n".join(f"{c['type']}={c['status']} {c['reason']}: {c['message']}" for c in conditions)
