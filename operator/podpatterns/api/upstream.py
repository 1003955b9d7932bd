"""Upstream: a service that an Ambassador offers on localhost."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from podpatterns.api.connection import Tls, UpstreamEnv, UpstreamListen
from podpatterns.api.effect import ConfiguresHelper, ShapesPod
from podpatterns.api.kubernetes import Container
from podpatterns.api.model import LIST_SET, Items, Model, Validation
from podpatterns.api.postgres import Postgres
from podpatterns.api.redis import Redis
from podpatterns.api.scalar import Duration, Endpoint, Label

# The statuses are those that HAProxy can retry on: https://docs.haproxy.org/2.6/configuration.html#retry-on
RetryOn = Annotated[
    str,
    Field(max_length=15, pattern="^(connect-failure|401|403|404|408|425|500|501|502|503|504)$"),
]


class Retries(Model):
    """Retries of failed requests."""

    attempts: int = Field(default=1, ge=0, le=10)
    """Number of retries of a failed connection or, with protocol http, of a failed request. Default: 1."""
    retry_on: Items[RetryOn] = Field(
        default=("connect-failure",), max_length=32, json_schema_extra=dict(LIST_SET)
    )
    """Failures to retry: connect-failure and, with protocol http, also the statuses "401", "403", "404",
    "408", "425" and "500" to "504". POST and PATCH are never repeated because of a status. Default:
    connect-failure."""


class CircuitBreaker(Model):
    """Limits that protect an endpoint."""

    max_connections: int | None = Field(default=None, ge=1, le=1_000_000)
    """Maximum number of concurrent connections to an endpoint; further ones wait. Default: no limit."""
    consecutive_errors: int | None = Field(default=None, ge=1, le=1_000_000)
    """Consecutive failures after which an endpoint receives no traffic until it recovers. Default: no
    limit."""


class HealthCheck(Model):
    """Health check of the endpoints."""

    interval: Duration = "2s"
    """Time between two checks of an endpoint, such as 500ms. Default: 2s."""
    unhealthy_threshold: int = Field(default=3, ge=1, le=100)
    """Consecutive failed checks after which an endpoint receives no traffic. Default: 3."""
    path: Annotated[str, Field(max_length=1024, pattern="^/[A-Za-z0-9._~!$&()*+,;=:@/?%-]*$")] = "/"
    """Path to request, with protocol http or grpc; any status below 500 is healthy. Default: /."""


class Timeouts(Model):
    """Time limits of the proxy."""

    connect: Duration = "5s"
    """Time for an endpoint to accept a connection. Default: 5s."""
    request: Duration | None = None
    """Time until the answer to a request begins, or goes on, with protocols http and grpc; then http gets
    status 504. Default: 5m for http; as idle for grpc, whose calls have deadlines of their own."""
    idle: Duration = "24h"
    """Time for which a connection may be silent. Default: 24h."""


class Local(Model):
    """Server that replaces the upstream in mode Local."""

    container: Container
    """Development server, as a core/v1 Container. It must listen on the upstream's listen.port."""


class Upstream(Model):
    """Service that the application reaches on localhost."""

    validations: ClassVar[tuple[Validation, ...]] = (
        Validation(
            "self.protocol == 'redis' ? has(self.redis) : !has(self.redis)",
            "belongs to protocol redis: required with it, and with it alone",
            ".redis",
        ),
        Validation(
            "!has(self.postgres) || self.protocol == 'postgres'",
            "belongs to protocol postgres: take it out",
            ".postgres",
        ),
        Validation(
            "self.protocol == 'redis' || has(self.postgres) ? !has(self.endpoints) : has(self.endpoints)",
            "required, unless protocol is redis, or postgres is there: they have endpoints of their own",
            ".endpoints",
        ),
        Validation(
            "self.protocol != 'redis' || !has(self.tls)", "protocol redis has redis.tls instead", ".tls"
        ),
        Validation("!has(self.postgres) || !has(self.tls)", "there is postgres.tls instead", ".tls"),
        *(
            Validation(
                f"!has(self.postgres) || !has(self.{field})", f"PgBouncer has none: {remedy}", f".{field}"
            )
            for field, remedy in (
                ("retries", "take it out"),
                ("circuitBreaker", "take it out, or set postgres.pooling.size"),
                ("timeouts", "take it out"),
            )
        ),
        Validation(
            "!has(self.postgres) || !has(self.listen.unixSocket)",
            "PgBouncer has a port alone: take it out",
            ".listen.unixSocket",
        ),
        Validation(
            "self.protocol == 'http' || !has(self.retries)"
            " || !has(self.retries.retryOn) || self.retries.retryOn.all(r, r == 'connect-failure')",
            "statuses need protocol http",
            ".retries.retryOn",
        ),
        Validation(
            "self.protocol != 'redis' || !has(self.timeouts)",
            "protocol redis has none: take it out",
            ".timeouts",
        ),
        Validation(
            "self.protocol != 'redis' || !has(self.listen.unixSocket)",
            "protocol redis has a port alone: take it out",
            ".listen.unixSocket",
        ),
        Validation(
            "self.protocol in ['http', 'grpc'] || !has(self.timeouts) || !has(self.timeouts.request)",
            "needs protocol http or grpc: others have no requests that the proxy knows",
            ".timeouts.request",
        ),
    )

    name: ShapesPod[Label]
    """Name of the upstream, in metrics and messages."""
    protocol: ConfiguresHelper[Literal["redis", "tcp", "http", "grpc", "postgres", "memcached"]]
    """Protocol of the upstream: redis, tcp, http, grpc, postgres or memcached. The proxy forwards tcp unread.
    With grpc it speaks HTTP/2 on both sides, and each call may go to another endpoint. With memcached it uses
    one endpoint at a time, the first healthy one, so that all connections see the same data."""
    listen: ShapesPod[UpstreamListen]
    """Port on localhost, or Unix socket, where the application reaches the upstream."""
    required: ConfiguresHelper[bool] = True
    """Readiness of the Pod depends on the upstream: it needs a healthy endpoint. Default: true."""
    env: ShapesPod[UpstreamEnv | None] = None
    """Environment variables with the upstream's host and port, put into the application's containers."""
    endpoints: ConfiguresHelper[Items[Endpoint] | None] = Field(
        default=None, min_length=1, max_length=64, json_schema_extra=dict(LIST_SET)
    )
    """Servers, each as host:port. A name may stand for up to 16 addresses, and is resolved every second;
    while DNS does not answer, the last known addresses stay in use. All are equal: of a PostgreSQL with
    replicas, name the primary, or use postgres. Required unless there is redis or postgres."""
    tls: Tls | None = None
    """TLS from the proxy to the endpoints. With protocol postgres they must accept it without a preceding
    SSLRequest, as PostgreSQL 17 does; postgres.tls works with any version. Default: none."""
    retries: ConfiguresHelper[Retries | None] = None
    """Retries of failed requests. Default: none."""
    circuit_breaker: ConfiguresHelper[CircuitBreaker | None] = None
    """Limits that protect an endpoint. Default: none."""
    timeouts: ConfiguresHelper[Timeouts | None] = None
    """Time limits of the proxy. Default: 5s for a connection, 5m for the answer to an HTTP request."""
    health_check: ConfiguresHelper[HealthCheck | None] = None
    """Health check of the endpoints. Default: the proxy notices only failed connections."""
    redis: Redis | None = None
    """Settings of protocol redis. Required with it."""
    postgres: Postgres | None = None
    """Settings of protocol postgres for servers with replicas, and for a proxy that logs in: PgBouncer takes
    the place of HAProxy. Default: the proxy forwards connections unread, and the application logs in."""
    local: ShapesPod[Local | None] = None
    """Server that replaces the upstream in mode Local. Required with it."""
