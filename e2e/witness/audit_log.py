"""The API server's audit log: who asked for what."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from e2e.witness.change import Object


class AuditLog:
    """The writes of `user` in `namespace` from now on, Leases aside."""

    def __init__(self, path: Path, user: str, namespace: str) -> None:
        self._path = path
        self._user = user
        self._namespace = namespace
        self._position = path.stat().st_size if path.exists() else 0
        self._entries: list[Object] = []

    def entries(self) -> list[Object]:
        """All so far, in the order in which they were answered."""
        self._entries += self._new()
        return list(self._entries)

    def _new(self) -> Iterator[Object]:
        if not self._path.exists():
            return
        with self._path.open("rb") as log:
            log.seek(self._position)
            for line in log:
                if not line.endswith(b"\n"):
                    return  # still being written
                self._position += len(line)
                # A line is kilobytes, most are other tests', and reading JSON is the costly part.
                if self._namespace.encode() not in line:
                    continue
                entry: Object = json.loads(line)
                reference = entry.get("objectRef", {})
                if entry["user"]["username"] == self._user and reference.get("namespace") == self._namespace:
                    yield entry
