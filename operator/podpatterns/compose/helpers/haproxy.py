"""HAProxy's configuration for the upstreams of an Ambassador.

A whole configuration, but for the socket at which its supervisor reads metrics
(helpers/cmd/haproxy-ambassador).
Keywords are those of https://docs.haproxy.org/2.6/configuration.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from itertools import chain

from podpatterns.api.connection import Tls
from podpatterns.api.upstream import HealthCheck, Upstream
from podpatterns.compose.helpers import haproxyredis
from podpatterns.compose.helpers.duration import milliseconds

HOST = "127.0.0.1"
SLOTS = 16
"""Addresses of one name that get connections: the Pods behind a headless Service."""
ADDRESS_CHARACTERS = frozenset("0123456789abcdefABCDEF.:")
LONGEST = 24 * 3_600_000
"""Milliseconds of the longest check interval; HAProxy's own limit is 24 days."""

GLOBAL = """\
global
    log stdout format raw local0 notice
    maxconn 4000
    # Each reload leaves a worker behind until its last connection is closed; the oldest have to give way.
    mworker-max-reloads 20

# haproxy-ambassador resolves names itself, by the Pod's own resolver; this is for HAProxy without it.
resolvers pod
    parse-resolv-conf
    accepted_payload_size 8192
    hold valid 1s
    hold obsolete 5s
    hold nx 10s
    hold other 30s
    hold refused 20d
    hold timeout 20d

defaults
    log global
    option dontlognull
    option redispatch 1
    timeout connect 2s
    timeout check 2s
    timeout queue 30s
    # How long a connection may be idle is for the application and the server to say.
    timeout client 24h
    timeout server 24h
    timeout tunnel 24h
    default-server init-addr none resolvers pod resolve-prefer ipv4
"""

GSSENC_REQUEST = "0000000804d21630"

SAFE_METHODS = "METH_GET || METH_HEAD || METH_OPTIONS || { method PUT DELETE TRACE }"
"""Condition for idempotent methods: https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2"""


def haproxy_config(upstreams: Sequence[Upstream], secrets: str) -> str:
    """Return the configuration for upstreams that are not redis, or have redis.reads.

    `secrets` is the directory where their Secrets are mounted.
    """
    sections = [section for u in upstreams for section in _sections(u, secrets)]
    lines = [line for name, body in sections for line in ("", f"listen {name}", *_indented(body))]
    more = haproxyredis.GLOBAL if any(haproxyredis.by_two_ports(u) for u in upstreams) else ""
    return GLOBAL + more + "\n".join([*lines, ""])


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (f"    {line}" for line in lines)


def _sections(upstream: Upstream, secrets: str) -> Iterator[tuple[str, Iterator[str]]]:
    """Yield the sections of an upstream, each with a unique name: names of upstreams have no dots."""
    if said := haproxyredis.by_two_ports(upstream):
        redis, reads = said
        plain, port = haproxyredis.plain(upstream, redis), upstream.listen.port
        servers = list(_servers(plain, secrets))
        yield upstream.name, haproxyredis.role_section(plain, port, haproxyredis.PRIMARY, servers)
        replicas = haproxyredis.role_section(plain, reads.listen.port, haproxyredis.REPLICA, servers)
        # Without a replica reads go by the port for writes.
        instead = [f"server primary {HOST}:{port} backup"] if redis.read_policy == "PreferReplica" else []
        yield f"{upstream.name}.reads", chain(replicas, instead)
    else:
        yield upstream.name, _section(upstream, secrets)


def _section(upstream: Upstream, secrets: str) -> Iterator[str]:
    yield f"bind {HOST}:{upstream.listen.port}"
    match upstream.protocol:
        case "http":
            yield "mode http"
            yield "balance roundrobin"
            yield from _host_header(upstream)
        case "memcached":
            yield "mode tcp"
            # What one connection has stored, another one looks for: all have to end at one server.
            yield "balance first"
        case _:
            yield "mode tcp"
            yield "balance leastconn"
    yield from _retries(upstream)
    if _checked(upstream):
        yield from _check(upstream)
    yield from _servers(upstream, secrets)


def _servers(upstream: Upstream, secrets: str) -> Iterator[str]:
    for endpoint in upstream.endpoints or ():
        yield " ".join([*_address(upstream, endpoint), *_server_options(upstream, endpoint, secrets)])


def _host_header(upstream: Upstream) -> Iterator[str]:
    """Yield the rule that replaces a Host header of localhost by the upstream's; any other one stays."""
    if host := _host_name(upstream):
        local = "{ req.hdr(host),field(1,:) -m str 127.0.0.1 localhost }"
        yield f"http-request set-header Host {host} if {local}"


def _host_name(upstream: Upstream) -> str | None:
    """Return the name of all endpoints, if they have the same."""
    if upstream.tls and upstream.tls.server_name:
        return upstream.tls.server_name
    names = {host_of(endpoint) for endpoint in upstream.endpoints or ()}
    return names.pop() if len(names) == 1 else None


def _retries(upstream: Upstream) -> Iterator[str]:
    retries = upstream.retries
    yield f"retries {retries.attempts if retries else 0}"
    if retries and upstream.protocol == "http":
        conditions = ["conn-failure" if on == "connect-failure" else on for on in retries.retry_on]
        yield f"retry-on {' '.join(conditions) or 'none'}"
        yield f"http-request disable-l7-retry unless {SAFE_METHODS}"


def _checked(upstream: Upstream) -> bool:
    """Return whether endpoints are checked: a server that the circuit breaker took out recovers by checks
    alone."""
    breaker = upstream.circuit_breaker
    return upstream.health_check is not None or bool(breaker and breaker.consecutive_errors)


def _check(upstream: Upstream) -> Iterator[str]:
    match upstream.protocol:
        case "http":
            check = upstream.health_check or HealthCheck()
            host = _host_name(upstream) or "localhost"
            yield "option httpchk"
            yield f"http-check send meth GET uri {check.path} ver HTTP/1.1 hdr Host {host}"
            yield "http-check expect rstatus ^[1234]"
        case "postgres" if not upstream.tls:
            # A GSSENCRequest: any answer will do, and of a client that then goes away no server writes a line
            # in its log, as it does after an SSLRequest or a startup message. With TLS, TLS is the answer.
            # https://www.postgresql.org/docs/current/protocol-message-formats.html
            yield "option tcp-check"
            yield f"tcp-check send-binary {GSSENC_REQUEST}"
            yield "tcp-check expect rstring ^[GNSE]"
        case "memcached":
            yield "option tcp-check"
            yield 'tcp-check send "version\\r\\n"'
            yield "tcp-check expect rstring ^VERSION"


def _address(upstream: Upstream, endpoint: str) -> Iterator[str]:
    """Yield `server` for an address, and `server-template` for a name, which may have many addresses."""
    host, _, port = endpoint.rpartition(":")
    if is_address(host_of(endpoint)):
        yield from ("server", f"{host_of(endpoint)}:{port}", endpoint)
    else:
        slots = 1 if upstream.protocol == "memcached" else SLOTS
        yield from ("server-template", f"{host}-{port}-", str(slots), endpoint)


def _server_options(upstream: Upstream, endpoint: str, secrets: str) -> Iterator[str]:
    breaker, check = upstream.circuit_breaker, upstream.health_check or HealthCheck()
    if breaker and breaker.max_connections:
        yield f"maxconn {breaker.max_connections}"
    if _checked(upstream):
        interval = min(LONGEST, milliseconds(check.interval))
        yield f"check inter {interval}ms rise 1 fall {check.unhealthy_threshold}"
    if breaker and breaker.consecutive_errors:
        layer = "layer7" if upstream.protocol == "http" else "layer4"
        yield f"observe {layer} error-limit {breaker.consecutive_errors} on-error mark-down"
    if upstream.tls:
        yield from _tls_options(upstream, upstream.tls, host_of(endpoint), secrets)


def _tls_options(upstream: Upstream, tls: Tls, host: str, secrets: str) -> Iterator[str]:
    authorities = tls.ca_secret_ref
    file = f"{secrets}/{authorities.name}/{authorities.key}" if authorities else "@system-ca"
    yield f"ssl verify required ca-file {file}"
    name = tls.server_name or host
    yield f"verifyhost {name}"
    if not is_address(name):  # SNI has no addresses: https://www.rfc-editor.org/rfc/rfc6066#section-3
        yield f"sni str({name})"
        if _checked(upstream):
            yield f"check-sni {name}"
    if upstream.protocol == "postgres":
        # Without an SSLRequest before it TLS needs this: PostgreSQL 17, sslnegotiation=direct.
        yield "alpn postgresql"


def host_of(endpoint: str) -> str:
    """Return the name or address in host:port, without brackets and without the dot of an absolute name."""
    return endpoint.rpartition(":")[0].strip("[]").rstrip(".")


def is_address(host: str) -> bool:
    if not ADDRESS_CHARACTERS.issuperset(host):  # to be told so by an exception takes long
        return False
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
