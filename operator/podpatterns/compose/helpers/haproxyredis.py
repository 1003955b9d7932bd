"""HAProxy for a Redis by two ports: writes go to the primary, reads to replicas, as ROLE tells who is who.

HAProxy knows no commands; the application chooses by port (https://redis.io/docs/latest/commands/role/).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from podpatterns.api.redis import Reads, Redis
from podpatterns.api.upstream import HealthCheck, Upstream
from podpatterns.compose.helpers.duration import milliseconds

PRIMARY, REPLICA = "master", "connected"
"""What ROLE answers of a primary, and of a replica that gets its writes."""
CHECK = HealthCheck(interval="500ms", unhealthy_threshold=2)
"""How servers are asked unless something is said: a failover should not take long to be noticed."""

LONGEST_HOLD = 5_000
"""Milliseconds."""

STARTED = "proc.started"
GLOBAL = f"""
global
    # When this worker began, in milliseconds.
    set-var {STARTED} date(0,ms)
"""


def by_two_ports(upstream: Upstream) -> tuple[Redis, Reads] | None:
    """What is said of it, where the upstream is such a Redis."""
    redis = upstream.redis
    return (redis, redis.reads) if redis and redis.reads else None


def plain(upstream: Upstream, redis: Redis) -> Upstream:
    """The same with its servers where those of other protocols are, and checked in any case."""
    return upstream.model_copy(
        update={
            "endpoints": redis.endpoints,
            "tls": redis.tls,
            "health_check": upstream.health_check or CHECK,
        }
    )


def role_section(upstream: Upstream, port: int, role: str, servers: Sequence[str]) -> Iterator[str]:
    """A port behind which are the servers of one role."""
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
    """A server counts as well until it was asked first, which takes up to an interval from the worker's start
    or, of a name, from its first address. Connections wait for that, or a replica would get writes."""
    check = upstream.health_check or CHECK
    hold = min(LONGEST_HOLD, 2 * milliseconds(check.interval))
    yield f"tcp-request inspect-delay {hold}ms"
    yield f"tcp-request content accept if {{ date(0,ms),sub({STARTED}) gt {hold} }} || WAIT_END"
