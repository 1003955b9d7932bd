"""HAProxy's configuration for the upstreams of an Ambassador.

A whole configuration, but for the socket at which its supervisor reads metrics
(helpers/cmd/haproxy-ambassador).
Keywords are those of https://docs.haproxy.org/2.6/configuration.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from podpatterns.api.connection import Tls, UnixSocket
from podpatterns.api.kubernetes import TLS_CERTIFICATE
from podpatterns.api.upstream import HealthCheck, Timeouts, Upstream
from podpatterns.compose.helpers import haproxyhttp, haproxyredis
from podpatterns.compose.helpers.duration import milliseconds
from podpatterns.compose.helpers.endpoint import host_of, is_address

HOST = "127.0.0.1"
SOCKETS_DIRECTORY = "/run/sockets"
"""Here the shared volume of a Unix socket is the directory <volume>."""
LONGEST_SOCKET = 90
"""Characters of a path: a socket's has up to 107, and HAProxy binds it under a longer one first."""
SLOTS = 16
"""How many addresses of one name get connections: the Pods behind a headless Service."""
LONGEST = 24 * 3_600_000
"""Milliseconds; HAProxy's own limit is 24 days."""
REQUEST_TIMEOUT = "5m"
"""Of protocol http, unless timeouts.request says otherwise."""

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
    timeout connect 5s
    timeout check 2s
    timeout queue 30s
    # How long a connection may be idle is for the application and the server to say.
    timeout client 24h
    timeout server 24h
    timeout tunnel 24h
    default-server init-addr none resolvers pod resolve-prefer ipv4
"""

PROBES = """
global
    # haproxy-ambassador answers the kubelet's probes by these.
"""

TLS = """
global
    # HAProxy's own default, which a library or a later version could lower.
    ssl-default-server-options ssl-min-ver TLSv1.2
"""

GSSENC_REQUEST = "0000000804d21630"


def haproxy_config(upstreams: Sequence[Upstream], secrets: str, start_when: str = "Listening") -> str:
    """The configuration for upstreams that are not redis, or have redis.reads; `secrets` is where they are
    mounted."""
    sections = [section for u in upstreams for section in _sections(u, secrets)]
    lines = [line for name, body in sections for line in ("", f"listen {name}", *_indented(body))]
    return GLOBAL + "".join(_more_global(upstreams, start_when)) + "\n".join([*lines, ""])


def _more_global(upstreams: Sequence[Upstream], start_when: str) -> Iterator[str]:
    optional = [name for u in upstreams if not u.required for name, _ in _sections(u, "")]
    if optional or start_when != "Listening":
        yield PROBES
        yield f"    setenv OPTIONAL_UPSTREAMS {','.join(optional)}\n" if optional else ""
        yield f"    setenv START_WHEN {start_when}\n" if start_when != "Listening" else ""
    if any(u.tls or (u.redis and u.redis.tls) for u in upstreams):
        yield TLS
    if any(haproxyredis.by_two_ports(u) for u in upstreams):
        yield haproxyredis.GLOBAL
    if any(haproxyhttp.is_http(u) for u in upstreams):
        yield haproxyhttp.GLOBAL


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (f"    {line}" for line in lines)


def _sections(upstream: Upstream, secrets: str) -> Iterator[tuple[str, Iterator[str]]]:
    """Each with its name: no other upstream's, which have no dots."""
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
    http = haproxyhttp.is_http(upstream)
    proto = " proto h2" if upstream.protocol == "grpc" else ""
    yield f"bind {HOST}:{upstream.listen.port}{proto}"
    if unix := upstream.listen.unix_socket:
        yield f"bind unix@{socket_path(unix)} mode 666{proto}"
    yield f"mode {'http' if http else 'tcp'}"
    match upstream.protocol:
        case "http" | "grpc":
            yield "balance roundrobin"
            yield from haproxyhttp.names(upstream)
        case "memcached":
            # What one connection has stored, another one looks for: all have to end at one server.
            yield "balance first"
        case _:
            yield "balance leastconn"
    yield from _timeouts(upstream)
    yield f"retries {upstream.retries.attempts if upstream.retries else 0}"
    if http:
        yield from haproxyhttp.retries(upstream)
    if checked(upstream):
        yield from _check(upstream)
    yield from _servers(upstream, secrets)


def socket_path(unix: UnixSocket) -> str:
    return f"{SOCKETS_DIRECTORY}/{unix.volume}/{unix.name}"


def _timeouts(upstream: Upstream) -> Iterator[str]:
    """Those that are not as in the defaults."""
    default = Timeouts()
    timeouts = upstream.timeouts or default
    if timeouts.connect != default.connect:
        yield f"timeout connect {_bounded(timeouts.connect)}ms"
    # gRPC has deadlines of its own, and calls that stay open.
    request = timeouts.request or (REQUEST_TIMEOUT if upstream.protocol == "http" else timeouts.idle)
    server = request if haproxyhttp.is_http(upstream) else timeouts.idle
    sides = {"client": timeouts.idle, "server": server, "tunnel": timeouts.idle}
    for side, wanted in sides.items():
        if wanted != default.idle:
            yield f"timeout {side} {_bounded(wanted)}ms"


def _bounded(duration: str) -> int:
    return min(LONGEST, milliseconds(duration))


def _servers(upstream: Upstream, secrets: str) -> Iterator[str]:
    for endpoint in upstream.endpoints or ():
        yield " ".join([*_address(upstream, endpoint), *_server_options(upstream, endpoint, secrets)])


def checked(upstream: Upstream) -> bool:
    """A server that the circuit breaker took out is found well again by checks alone."""
    breaker = upstream.circuit_breaker
    return upstream.health_check is not None or bool(breaker and breaker.consecutive_errors)


def _check(upstream: Upstream) -> Iterator[str]:
    match upstream.protocol:
        case "http" | "grpc":
            yield from haproxyhttp.check(upstream)
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
    """`server` for an address, `server-template` for a name, which can stand for many."""
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
    if checked(upstream):
        yield f"check inter {_bounded(check.interval)}ms rise 1 fall {check.unhealthy_threshold}"
    if breaker and breaker.consecutive_errors:
        layer = "layer7" if haproxyhttp.is_http(upstream) else "layer4"
        yield f"observe {layer} error-limit {breaker.consecutive_errors} on-error mark-down"
    if upstream.protocol == "grpc":
        yield "proto h2"
    if upstream.tls:
        yield from _tls_options(upstream, upstream.tls, host_of(endpoint), secrets)


def _tls_options(upstream: Upstream, tls: Tls, host: str, secrets: str) -> Iterator[str]:
    authorities = tls.ca_secret_ref
    file = f"{secrets}/{authorities.name}/{authorities.key}" if authorities else "@system-ca"
    name = tls.server_name or host
    if tls.insecure_skip_verify:
        yield "ssl verify none"
    else:
        yield f"ssl verify required ca-file {file}"
        yield f"verifyhost {name}"
    if tls.cert_secret_ref:
        yield f"crt {secrets}/{tls.cert_secret_ref.name}/{TLS_CERTIFICATE}"
    if not is_address(name):  # SNI has no addresses: https://www.rfc-editor.org/rfc/rfc6066#section-3
        yield f"sni str({name})"
        if checked(upstream):
            yield f"check-sni {name}"
    if upstream.protocol == "grpc":
        yield "alpn h2 check-alpn h2" if checked(upstream) else "alpn h2"
    if upstream.protocol == "postgres":
        # Without an SSLRequest before it TLS needs this: PostgreSQL 17, sslnegotiation=direct.
        yield "alpn postgresql"
