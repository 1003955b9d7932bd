"""The cluster that a witness watches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import ssl


class AuditedCluster(Protocol):
    """A cluster whose API server logs as audit-policy.yaml says."""

    @property
    def url(self) -> str:
        """The API server's."""

    @property
    def tls(self) -> ssl.SSLContext:
        """To be known to it as an administrator."""

    @property
    def operator_user(self) -> str:
        """As whom the operator speaks to it."""

    def audit(self, position: int) -> bytes:
        """Return its audit log from that byte on."""

    def audit_end(self) -> int:
        """Return the size of the audit log in bytes."""
