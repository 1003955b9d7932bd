"""The API server's audit log: who asked for what (audit-policy.yaml says what is in it)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.witness.audited_cluster import AuditedCluster
    from testbed.witness.change import Object


class AuditLog:
    """The requests in `namespace` from now on, in the order in which they were answered."""

    def __init__(self, cluster: AuditedCluster, namespace: str) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._position = cluster.audit_end()
        self._entries: list[Object] = []

    def entries(self) -> list[Object]:
        """The operator's writes, Leases aside."""
        return [entry for entry in self._all() if entry["user"]["username"] == self._cluster.operator_user]

    def others(self) -> list[Object]:
        """Deletions and evictions of Pods by anybody else, but for nodes that end what is on its way out."""
        return [
            entry
            for entry in self._all()
            if entry["user"]["username"] != self._cluster.operator_user and not _of_a_node(entry)
        ]

    def _all(self) -> list[Object]:
        self._entries += self._new()
        return list(self._entries)

    def _new(self) -> Iterator[Object]:
        for line in self._cluster.audit(self._position).splitlines(keepends=True):
            if not line.endswith(b"\n"):
                return  # still being written
            self._position += len(line)
            # A line is kilobytes, most are other tests', and reading JSON is the costly part.
            if self._namespace.encode() not in line:
                continue
            entry: Object = json.loads(line)
            if entry.get("objectRef", {}).get("namespace") == self._namespace:
                yield entry


def _of_a_node(entry: Object) -> bool:
    """A kubelet, or kwok in its place, asks for a Pod's end after somebody else has.

    Often so quickly that the other one's answer is still on its way.
    """
    user: str = entry["user"]["username"]
    agent: str = entry.get("userAgent", "")
    return user.startswith("system:node:") or agent.startswith("kwok/")
