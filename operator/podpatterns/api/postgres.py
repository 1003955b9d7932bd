"""A PostgreSQL upstream whose primary is followed: PgBouncer on localhost, with a login of its own."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from podpatterns.api.connection import Listen, Tls, UpstreamEnv
from podpatterns.api.effect import ConfiguresHelper, ShapesPod
from podpatterns.api.kubernetes import SecretKeyRef
from podpatterns.api.model import LIST_SET, Items, Model, Validation
from podpatterns.api.scalar import Endpoint

UserName = Annotated[str, Field(min_length=1, max_length=63, pattern="^[A-Za-z0-9_.@$-]+$")]

DatabaseName = Annotated[str, Field(min_length=1, max_length=63, pattern="^[A-Za-z0-9_$-]+$")]
"""A name that PgBouncer's configuration can hold."""


class Pooling(Model):
    """Connections to the servers that clients share."""

    mode: Literal["Session", "Transaction"] = "Session"
    """Time for which a client has a connection. Session: until it leaves. Transaction: for a transaction;
    nothing may live longer, such as LISTEN, SET, temporary tables, session locks and prepared statements.
    Default: Session."""
    size: int = Field(default=20, ge=1, le=4000)
    """Maximum number of connections to the servers, by port and database. Further clients wait, up to 30s.
    Default: 20."""


class PostgresReads(Model):
    """Port for reads alone. The application chooses by port."""

    listen: ShapesPod[Listen]
    """Port on localhost for replicas. In mode Local nothing listens on it."""
    env: ShapesPod[UpstreamEnv | None] = None
    """Environment variables with host and port for reads. In mode Local they hold listen.port of the
    upstream."""
    policy: ConfiguresHelper[Literal["PreferReplica", "Replica"]] = "PreferReplica"
    """Target of reads, as redis.readPolicy; the lag of a replica does not count. Default: PreferReplica."""


class Postgres(Model):
    """PostgreSQL with replicas. The proxy asks each server for its role, and follows failovers."""

    validations: ClassVar[tuple[Validation, ...]] = (
        Validation(
            "self.username != 'pgbouncer'", "PgBouncer keeps this name to itself: choose another", ".username"
        ),
        Validation(
            "!has(self.database) || self.database != 'pgbouncer'",
            "PgBouncer keeps this name to itself: choose another",
            ".database",
        ),
    )

    endpoints: ConfiguresHelper[Items[Endpoint]] = Field(
        min_length=1, max_length=64, json_schema_extra=dict(LIST_SET)
    )
    """PostgreSQL servers, each as host:port. A name may stand for all of them, and is resolved every second;
    while DNS does not answer, the last known addresses stay in use."""
    username: ConfiguresHelper[UserName]
    """User that logs in at the servers, also to ask for their roles. The application connects as this user,
    and needs no password."""
    auth_secret_ref: ShapesPod[SecretKeyRef | None] = None
    """Password of the user, in a Secret. Default: none, for servers that go by the client certificate."""
    database: ConfiguresHelper[DatabaseName | None] = None
    """The only database that the application can connect to; the roles are asked for there. Default: any, and
    roles are asked for in the database postgres."""
    pooling: ConfiguresHelper[Pooling | None] = None
    """Lets clients share a limited number of connections to the servers. Default: each client has one of its
    own."""
    tls: Tls | None = None
    """TLS to the servers. Any version of PostgreSQL will do. Default: plain TCP."""
    reads: PostgresReads | None = None
    """Gives reads a port of their own: listen.port of the upstream leads to the primary, this one to
    replicas. Default: none."""
