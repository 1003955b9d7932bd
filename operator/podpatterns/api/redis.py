"""A Redis upstream: one primary, replicas, and the targets of reads."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from podpatterns.api.connection import Listen, Tls, UpstreamEnv
from podpatterns.api.effect import ConfiguresHelper, ShapesPod
from podpatterns.api.kubernetes import SecretKeyRef
from podpatterns.api.model import LIST_SET, Items, Model, Validation
from podpatterns.api.scalar import Bytes, Duration, Endpoint


class ReadAfterWrite(Model):
    """Consistency of a connection's reads with its own writes."""

    validations: ClassVar[tuple[Validation, ...]] = (
        Validation(
            "!has(self.policy) || self.policy != 'Causal' || !has(self.window) || self.window == '500ms'",
            "belongs to PinPrimary: Causal goes by what a replica has, not by time",
            ".window",
        ),
    )

    policy: Literal["PinPrimary", "Causal"] = "PinPrimary"
    """PinPrimary sends the reads of a connection to the primary for a while after it wrote, so that it sees
    its own writes. Causal sends them to a replica only if that has everything that the connection has written
    and read so far, by replication offsets; so reads never go backwards, except in a failover that loses
    writes. Default: PinPrimary."""
    window: Duration = "500ms"
    """Time after a write during which PinPrimary sends reads to the primary. Default: 500ms."""


class Sentinel(Model):
    """Redis Sentinels, which elect the primary."""

    master_name: ConfiguresHelper[str] = Field(min_length=1, max_length=128, pattern="^[-._a-zA-Z0-9]+$")
    """Name under which the Sentinels monitor the primary, such as mymaster."""
    username: ConfiguresHelper[str | None] = Field(default=None, min_length=1, max_length=128)
    """ACL user of the Sentinels that logs in with the password of authSecretRef. Default: their default
    user."""
    auth_secret_ref: ShapesPod[SecretKeyRef | None] = None
    """Password of the Sentinels themselves, in a Secret. Default: none is sent."""


class Reads(Model):
    """Port for reads alone. The application chooses by port, and HAProxy passes its connections through."""

    listen: ShapesPod[Listen]
    """Port on localhost where the application reaches replicas. In mode Local nothing listens on it."""
    env: ShapesPod[UpstreamEnv | None] = None
    """Environment variables with host and port for reads, put into the application's containers. In mode
    Local they hold the upstream's only port, listen.port."""


class Redis(Model):
    """Redis with replicas. Writes go to the primary, wherever it is."""

    validations: ClassVar[tuple[Validation, ...]] = (
        Validation(
            "!has(self.reads) || (has(self.readPolicy) && self.readPolicy != 'Primary')",
            "a port for reads needs PreferReplica or Replica: choose one, or take reads out",
            ".readPolicy",
        ),
        Validation(
            "!has(self.reads) || !has(self.readAfterWrite) ||"
            " (has(self.readAfterWrite.policy) && self.readAfterWrite.policy == 'Causal')",
            "the connections of a port for reads write nothing: choose policy Causal, so that reads never"
            " go backwards, or take it out, or reads",
            ".readAfterWrite",
        ),
    )

    endpoints: ConfiguresHelper[Items[Endpoint]] = Field(
        min_length=1, max_length=64, json_schema_extra=dict(LIST_SET)
    )
    """Redis servers, each as host:port. The proxy discovers the primary and follows failovers. With sentinel,
    these are the Sentinels, and they name the servers."""
    sentinel: Sentinel | None = None
    """Sentinels to ask for the primary. Default: the proxy asks the servers themselves."""
    read_policy: ConfiguresHelper[Literal["Primary", "PreferReplica", "Replica"]] = "Primary"
    """Target of reads. Primary: the primary. PreferReplica: a replica if one is available, else the primary.
    Replica: replicas only; without one, reads fail. Default: Primary."""
    read_after_write: ConfiguresHelper[ReadAfterWrite | None] = None
    """Lets a connection read its own writes, although replicas lag behind. Default: reads follow readPolicy
    alone."""
    max_replica_lag: ConfiguresHelper[Duration | None] = None
    """Maximum lag of a replica behind the primary at which it still gets reads, such as 10s. Default: no
    limit."""
    username: ConfiguresHelper[str | None] = Field(default=None, min_length=1, max_length=128)
    """ACL user that logs in with the password of authSecretRef. Default: Redis' default user."""
    auth_secret_ref: ShapesPod[SecretKeyRef | None] = None
    """Password to log in with, in a Secret. A client that logs in itself keeps its own user. Default: none is
    sent."""
    monitor_username: ConfiguresHelper[str | None] = Field(default=None, min_length=1, max_length=128)
    """ACL user of the checks, with the password of monitorAuthSecretRef. Default: Redis' default user."""
    monitor_auth_secret_ref: ShapesPod[SecretKeyRef | None] = None
    """Password of the checks, in a Secret. They need the rights to ROLE or INFO, PING and COMMAND; with one
    endpoint, or Sentinels, the first two may be missing. Default: they log in with username and
    authSecretRef."""
    max_unread_replies: ConfiguresHelper[Bytes] = "64Mi"
    """Maximum size of the replies kept for a client that doesn't read them. With more, and nothing read for
    5s, the proxy closes its connection. Default: 64Mi."""
    tls: Tls | None = None
    """TLS to the servers. Default: plain TCP."""
    reads: Reads | None = None
    """Gives reads a port of their own: listen.port of the upstream leads to the primary, this one to
    replicas, by readPolicy. HAProxy serves both ports, unless there is a password, a client certificate,
    sentinel, maxReplicaLag or readAfterWrite. It goes by what servers say of themselves, so that an old
    primary that comes back may get writes until it is made a replica. With one of them redis-ambassador does,
    which keeps to the primary in use. Default: one port, where the proxy distinguishes reads from writes."""

    @property
    def needs_ambassador(self) -> bool:
        """Return whether it takes more than the ports and roles that HAProxy knows: credentials, trust in any
        server, Sentinels, or how far replicas are."""
        tls = self.tls
        return bool(
            self.auth_secret_ref
            or self.monitor_auth_secret_ref
            or (tls and (tls.cert_secret_ref or tls.insecure_skip_verify))
            or self.sentinel
            or self.max_replica_lag
            or self.read_after_write
        )
