"""A Redis upstream: one primary, replicas, and who may read where."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from podpatterns.api.model import LIST_SET, Items, Model
from podpatterns.api.scalar import Duration, Endpoint
from podpatterns.api.secretkeyref import SecretKeyRef
from podpatterns.api.tls import Tls


class ReadAfterWrite(Model):
    """What a connection that has written reads next."""

    policy: Literal["PinPrimary"] = "PinPrimary"
    """PinPrimary: after a write, the connection's reads go to the primary for a while, so that it sees what
    it wrote. Default: PinPrimary."""
    window: Duration = "500ms"
    """How long after a write reads go to the primary, such as 500ms. Default: 500ms."""


class Sentinel(Model):
    """Sentinels that say which server is the primary."""

    master_name: str = Field(min_length=1, max_length=253, pattern="^[!-~]+$")
    """The name under which the Sentinels monitor the primary."""
    auth_secret_ref: SecretKeyRef | None = None
    """The Sentinels' own password, in a Secret. Default: none is sent."""


class Redis(Model):
    """A Redis with replicas. Writes go to the primary, wherever it is."""

    endpoints: Items[Endpoint] = Field(min_length=1, max_length=64, json_schema_extra=dict(LIST_SET))
    """The servers, or with sentinel the Sentinels, each as host:port. Which server is primary is discovered,
    and followed on failover."""
    read_policy: Literal["Primary", "PreferReplica", "Replica"] = "Primary"
    """Where reads go. Primary: to the primary. PreferReplica: to replicas while there is one, else to the
    primary. Replica: to replicas only; without one, reads fail. Default: Primary."""
    read_after_write: ReadAfterWrite | None = None
    """Lets a connection read what it has just written, though replicas lag behind. Default: reads follow
    readPolicy alone."""
    max_replica_lag: Duration | None = None
    """A replica that lags further behind the primary gets no reads, such as 5s. Default: any lag is borne."""
    username: str | None = Field(default=None, min_length=1, max_length=253)
    """The user of Redis' access control list. Default: the default user."""
    auth_secret_ref: SecretKeyRef | None = None
    """The password, in a Secret. Default: none is sent."""
    sentinel: Sentinel | None = None
    """Sentinels tell the roles, and endpoints are theirs. Default: the servers are asked themselves."""
    tls: Tls | None = None
    """TLS to the servers. Default: plain TCP."""
