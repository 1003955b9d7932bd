"""HAProxy for HTTP, and for gRPC, which is HTTP/2: requests are balanced, and not connections."""

from __future__ import annotations

import re
from collections.abc import Iterator

from podpatterns.api.upstream import HealthCheck, Upstream
from podpatterns.compose.helpers.endpoint import host_of, is_address, port_of

PROTOCOLS = frozenset({"http", "grpc"})

GLOBAL = """
global
    # Room for 63 KiB of headers.
    tune.bufsize 65536
"""

SAFE_METHODS = "METH_GET || METH_HEAD || METH_OPTIONS || { method PUT DELETE TRACE }"
"""A request that is sent twice has the effect of one: https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2"""

LOCALHOST = r"'^(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?$'"


def is_http(upstream: Upstream) -> bool:
    return upstream.protocol in PROTOCOLS


def names(upstream: Upstream) -> Iterator[str]:
    """The application asks localhost for pages of the upstream, which calls itself by its own name; a name of
    the application's choice is left to it."""
    if authority := _authority(upstream):
        local = f"{{ req.hdr(host) -m reg -i {LOCALHOST} }}"
        yield f"http-request set-var(txn.host) req.hdr(host) if {local}"
        yield f"http-request set-header Host {authority} if {local}"
        own = f"'^{_scheme(upstream)}://{re.escape(authority)}([/?#].*)?$'"
        here = r"'http://%[var(txn.host)]\1'"
        yield f"http-response replace-header Location {own} {here} if {{ var(txn.host) -m found }}"


def _scheme(upstream: Upstream) -> str:
    return "https" if upstream.tls else "http"


def _authority(upstream: Upstream) -> str | None:
    """The one name of all endpoints, if they have one, with their port unless it is the scheme's."""
    hosts = {host_of(endpoint) for endpoint in upstream.endpoints or ()}
    ports = {port_of(endpoint) for endpoint in upstream.endpoints or ()}
    name = (upstream.tls and upstream.tls.server_name) or (hosts.pop() if len(hosts) == 1 else None)
    if name is None:
        return None
    host = f"[{name}]" if is_address(name) and ":" in name else name
    [port] = ports if len(ports) == 1 else [""]
    return host if port in ("", "443" if upstream.tls else "80") else f"{host}:{port}"


def retries(upstream: Upstream) -> Iterator[str]:
    if wanted := upstream.retries:
        conditions = ["conn-failure" if on == "connect-failure" else on for on in wanted.retry_on]
        yield f"retry-on {' '.join(conditions) or 'none'}"
        yield f"http-request disable-l7-retry unless {SAFE_METHODS}"


def check(upstream: Upstream) -> Iterator[str]:
    path = (upstream.health_check or HealthCheck()).path
    host = _authority(upstream) or "localhost"
    version = "HTTP/2" if upstream.protocol == "grpc" else "HTTP/1.1"
    yield "option httpchk"
    yield f"http-check send meth GET uri {path} ver {version} hdr Host {host}"
    yield "http-check expect rstatus ^[1234]"
