"""HAProxy for a Redis with two ports: writes go to the primary, reads to replicas, by the answer to ROLE.

HAProxy knows no commands; the application chooses by port (https://redis.io/docs/latest/commands/role/).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from podpatterns.api.redis import Reads, Redis
from podpatterns.api.upstream import HealthCheck, Upstream
from podpatterns.compose.helpers.duration import milliseconds

PRIMARY, REPLICA = "master", "connected"
"""Answers to ROLE of a primary, and of a replica that is connected to it."""
CHECK = HealthCheck(interval="500ms", unhealthy_threshold=2)
"""Default health check: a failover should be noticed soon."""

LONGEST_HOLD = 5_000
"""Milliseconds of the longest delay of a connection before the first check."""

STARTED = "proc.started"
GLOBAL = f"""
global
    # When this worker began, in milliseconds.
    set-var {STARTED} date(0,ms)
"""


def by_two_ports(upstream: Upstream) -> tuple[Redis, Reads] | None:
    """Return the settings of a Redis with two ports; None for any other upstream."""
    redis = upstream.redis
    return (redis, redis.reads) if redis and redis.reads else None


def plain(upstream: Upstream, redis: Redis) -> Upstream:
    """Return the upstream with its Redis servers as endpoints, and with a health check in any case."""
    return upstream.model_copy(
        update={
            "endpoints": redis.endpoints,
            "tls": redis.tls,
            "health_check": upstream.health_check or CHECK,
        }
    )


def role_section(upstream: Upstream, port: int, role: str, servers: Sequence[str]) -> Iterator[str]:
    """Yield the section of the port for the servers of one role."""
    yield f"bind 127.0.0.1:{port}"
    yield "mode tcp"
    # Of two that take themselves for the primary, one gets everything.
    yield "balance first" if role == PRIMARY else "balance leastconn"
    yield from _hold(upstream)
    yield "option tcp-check"
    # Without QUIT an answer of another role would be awaited to its end, which never comes.
    yield 'tcp-check send "ROLE\\r\\nQUIT\\r\\n"'
    yield f'tcp-check expect string "\\r\\n{role}\\r\\n"'
    # Who has lost the role gets no more of the connections that it has.
    yield from (f"{server} on-marked-down shutdown-sessions" for server in servers)


def _hold(upstream: Upstream) -> Iterator[str]:
    """Yield the rules that delay connections until servers have been checked.

    HAProxy takes a server for healthy before its first check, up to an interval after the worker's start or,
    for a name, after its first address. Without the delay a replica would get writes.
    """
    check = upstream.health_check or CHECK
    hold = min(LONGEST_HOLD, 2 * milliseconds(check.interval))
    yield f"tcp-request inspect-delay {hold}ms"
    yield f"tcp-request content accept if {{ date(0,ms),sub({STARTED}) gt {hold} }} || WAIT_END"
