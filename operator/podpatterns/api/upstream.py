"""A service of the outside world, as an Ambassador offers it on localhost."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from podpatterns.api.connection import Listen, Tls, UpstreamEnv
from podpatterns.api.effect import ConfiguresHelper, ShapesPod
from podpatterns.api.kubernetes import Container
from podpatterns.api.model import LIST_SET, Items, Model, Validation
from podpatterns.api.redis import Redis
from podpatterns.api.scalar import Duration, Endpoint, Label

# The statuses are those that HAProxy can retry on: https://docs.haproxy.org/2.6/configuration.html#retry-on
RetryOn = Annotated[
    str,
    Field(max_length=15, pattern="^(connect-failure|401|403|404|408|425|500|501|502|503|504)$"),
]


class Retries(Model):
    """When a request is tried again."""

    attempts: int = Field(default=1, ge=0, le=10)
    """How often a connection or, for protocol http, a request is tried again after it failed. Default: 1."""
    retry_on: Items[RetryOn] = Field(
        default=("connect-failure",), max_length=32, json_schema_extra=dict(LIST_SET)
    )
    """Which failures are tried again: connect-failure, and for protocol http also the statuses "401", "403",
    "404", "408", "425" and "500" to "504", where the method is one that may be repeated: not for POST and
    PATCH. Default: connect-failure."""


class CircuitBreaker(Model):
    """When an endpoint is spared."""

    max_connections: int | None = Field(default=None, ge=1, le=1_000_000)
    """How many connections an endpoint gets at once; more wait. Default: no limit."""
    consecutive_errors: int | None = Field(default=None, ge=1, le=1_000_000)
    """After how many errors in a row an endpoint gets no more connections until it recovers.
    Default: never."""


class HealthCheck(Model):
    """How endpoints are watched."""

    interval: Duration = "2s"
    """Time between two checks of an endpoint, such as 500ms. Default: 2s."""
    unhealthy_threshold: int = Field(default=3, ge=1, le=100)
    """After how many failed checks in a row an endpoint gets no more connections. Default: 3."""
    path: Annotated[str, Field(max_length=1024, pattern="^/[A-Za-z0-9._~!$&()*+,;=:@/?%-]*$")] = "/"
    """For protocol http, the path that is asked for; any status below 500 is well. Default: /."""


class Local(Model):
    """What stands for the upstream in mode Local."""

    container: Container
    """A server for development, as a core/v1 Container. It has to listen on the same port, listen.port."""


class Upstream(Model):
    """A service that the application reaches on localhost."""

    validations: ClassVar[tuple[Validation, ...]] = (
        Validation(
            "self.protocol == 'redis' ? has(self.redis) : !has(self.redis)",
            "belongs to protocol redis: required with it, and with it alone",
            ".redis",
        ),
        Validation(
            "self.protocol == 'redis' ? !has(self.endpoints) : has(self.endpoints)",
            "required, unless protocol is redis: that has redis.endpoints",
            ".endpoints",
        ),
        Validation(
            "self.protocol != 'redis' || !has(self.tls)", "protocol redis has redis.tls instead", ".tls"
        ),
        Validation(
            "self.protocol == 'http' || !has(self.retries)"
            " || self.retries.retryOn.all(r, r == 'connect-failure')",
            "statuses need protocol http",
            ".retries.retryOn",
        ),
    )

    name: ShapesPod[Label]
    """The upstream's name, in metrics and messages."""
    protocol: ConfiguresHelper[Literal["redis", "tcp", "http", "postgres", "memcached"]]
    """What is spoken: redis, tcp, http, postgres or memcached. tcp is passed through unread. Of a memcached
    one endpoint is used at a time, the first that is well, so that all find what one has stored."""
    listen: ShapesPod[Listen]
    """Where the application finds the upstream."""
    env: ShapesPod[UpstreamEnv | None] = None
    """Environment variables with the upstream's host and port, put into the application's containers."""
    endpoints: ConfiguresHelper[Items[Endpoint] | None] = Field(
        default=None, min_length=1, max_length=64, json_schema_extra=dict(LIST_SET)
    )
    """The servers, each as host:port. A name may stand for up to 16 addresses, and is looked up again all the
    time. Required, unless protocol is redis."""
    tls: Tls | None = None
    """TLS from the proxy to the endpoints. For protocol postgres they have to accept it without an SSLRequest
    before it, as PostgreSQL 17 does. Default: none."""
    retries: ConfiguresHelper[Retries | None] = None
    """When a request is tried again. Default: never."""
    circuit_breaker: ConfiguresHelper[CircuitBreaker | None] = None
    """When an endpoint is spared. Default: never."""
    health_check: ConfiguresHelper[HealthCheck | None] = None
    """How endpoints are watched. Default: only by the connections made to them."""
    redis: Redis | None = None
    """What protocol redis needs to know. Required with it."""
    local: ShapesPod[Local | None] = None
    """What stands for the upstream in mode Local. Required with it."""
