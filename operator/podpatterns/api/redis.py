"""A Redis upstream: one primary, replicas, and who may read where."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from podpatterns.api.connection import Listen, Tls, UpstreamEnv
from podpatterns.api.effect import ConfiguresHelper, ShapesPod
from podpatterns.api.kubernetes import SecretKeyRef
from podpatterns.api.model import LIST_SET, Items, Model, Validation
from podpatterns.api.scalar import Duration, Endpoint


class ReadAfterWrite(Model):
    """What a connection that has written reads next."""

    policy: Literal["PinPrimary"] = "PinPrimary"
    """PinPrimary: after a write, the connection's reads go to the primary for a while, so that it sees what
    it wrote. Default: PinPrimary."""
    window: Duration = "500ms"
    """How long after a write reads go to the primary, such as 500ms. Default: 500ms."""


class Sentinel(Model):
    """Redis Sentinels, which decide who is the primary."""

    master_name: ConfiguresHelper[str] = Field(min_length=1, max_length=128, pattern="^[-._a-zA-Z0-9]+$")
    """The name under which the Sentinels monitor the primary, such as mymaster."""
    auth_secret_ref: ShapesPod[SecretKeyRef | None] = None
    """The Sentinels' own password, in a Secret. Default: none is sent."""


class Reads(Model):
    """A port for reads alone. The application chooses by port, and HAProxy passes its connections through."""

    listen: ShapesPod[Listen]
    """Where the application finds replicas. In mode Local nothing listens here."""
    env: ShapesPod[UpstreamEnv | None] = None
    """Environment variables with host and port for reads, put into the application's containers. In mode
    Local they name the one port that there is, listen.port of the upstream."""


class Redis(Model):
    """A Redis with replicas. Writes go to the primary, wherever it is."""

    validations: ClassVar[tuple[Validation, ...]] = (
        Validation(
            "!has(self.reads) || self.readPolicy != 'Primary'",
            "a port for reads needs PreferReplica or Replica: choose one, or take reads out",
            ".readPolicy",
        ),
        Validation(
            "!has(self.reads) || !has(self.sentinel)",
            "HAProxy asks no Sentinels: with reads, name the servers in endpoints and take sentinel out",
            ".sentinel",
        ),
        Validation(
            "!has(self.reads) || (!has(self.authSecretRef) && !has(self.username))",
            "HAProxy can't log in: take reads out, and one port serves reads and writes with this password",
            ".authSecretRef",
        ),
        Validation(
            "!has(self.reads) || !has(self.readAfterWrite)",
            "HAProxy does not know what is written: take it out, or reads",
            ".readAfterWrite",
        ),
        Validation(
            "!has(self.reads) || !has(self.maxReplicaLag)",
            "HAProxy does not know how far a replica lags: take it out, or reads",
            ".maxReplicaLag",
        ),
    )

    endpoints: ConfiguresHelper[Items[Endpoint]] = Field(
        min_length=1, max_length=64, json_schema_extra=dict(LIST_SET)
    )
    """The servers, each as host:port. Which one is primary is discovered, and followed on failover. With
    sentinel, these are the Sentinels, and they name the servers."""
    sentinel: Sentinel | None = None
    """Lets Sentinels say who is the primary. Default: the servers are asked."""
    read_policy: ConfiguresHelper[Literal["Primary", "PreferReplica", "Replica"]] = "Primary"
    """Where reads go. Primary: to the primary. PreferReplica: to replicas while there is one, else to the
    primary. Replica: to replicas only; without one, reads fail. Default: Primary."""
    read_after_write: ConfiguresHelper[ReadAfterWrite | None] = None
    """Lets a connection read what it has just written, though replicas lag behind. Default: reads follow
    readPolicy alone."""
    max_replica_lag: ConfiguresHelper[Duration | None] = None
    """How far behind the primary a replica may be and still get reads, such as 10s. Default: as it likes."""
    username: ConfiguresHelper[str | None] = Field(default=None, min_length=1, max_length=128)
    """The ACL user that authSecretRef is the password of. Default: Redis' default user."""
    auth_secret_ref: ShapesPod[SecretKeyRef | None] = None
    """The password, in a Secret. A client that logs in itself is whom it says. Default: none is sent."""
    tls: Tls | None = None
    """TLS to the servers. Default: plain TCP."""
    reads: Reads | None = None
    """Gives reads a port of their own. Then HAProxy stands for the Redis, which knows no commands: what comes
    at listen.port of the upstream goes to the primary, what comes here to replicas, by readPolicy. Servers
    have to answer without a password. Default: one port, on which reads and writes are told apart."""
