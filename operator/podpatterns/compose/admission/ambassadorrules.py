"""The rules of an Ambassador, in CEL: its endpoints, environment, sockets and metrics ports."""

from __future__ import annotations

from podpatterns.compose.admission.cel import Variable, clause, indexed, later, record
from podpatterns.compose.helpers.haproxy import HOST, LONGEST_SOCKET, SOCKETS_DIRECTORY
from podpatterns.compose.helpers.proxy import LAST_PORT

RULES = ("noAddresses", "contradictions", "setTwice", "metricsPorts", "sockets")


def ambassador_rules() -> list[Variable]:
    return [
        Variable("noAddresses", _no_addresses()),
        Variable("environment", _environment()),
        Variable("environmentNames", "variables.environment.map(e, string(e.name))"),
        Variable("contradictions", _contradictions()),
        Variable("setTwice", _set_twice()),
        Variable("metricsPorts", _metrics_ports()),
        Variable("unixSockets", _unix_sockets()),
        Variable("sockets", _sockets()),
    ]


def _no_addresses() -> str:
    """An address that ends in the form of IPv4 is left to `compose`: readers of addresses disagree there."""
    address = "e.substring(1, e.lastIndexOf(']'))"
    wrong = f"e.startsWith('[') && !isIP({address}) && !{address}.contains('.')"

    def of(field: str, condition: str, items: str) -> str:
        path = f"{indexed('spec.upstreams', 'i', f'.{field}[')} + string(j) + ']'"
        told = f"{path} + ': ' + e + ' has no IPv6 address in its brackets: correct it'"
        return f"({condition} ? {items}.transformList(j, e, {wrong}, {told}) : [])"

    found = " + ".join(
        [
            of("redis.endpoints", "has(u.redis)", "u.redis.endpoints"),
            of("postgres.endpoints", "has(u.postgres)", "u.postgres.endpoints"),
            of("endpoints", "has(u.endpoints)", "u.endpoints"),
        ]
    )
    return f"variables.isLocal ? [] : object.spec.upstreams.transformList(i, u, {found}).flatten()"


def _environment() -> str:
    """The variables for the application's containers, in order."""

    def of(env: str, has: str, port: str, field: str) -> str:
        path = f"{indexed('spec.upstreams', 'i', f'.{field}.env')}"
        host = record(name=f"{env}.hostName", value=f"'{HOST}'", path=f"{path} + '.hostName'")
        number = record(name=f"{env}.portName", value=f"string({port})", path=f"{path} + '.portName'")
        return (
            f"{clause(f'{has} && has({env}.hostName)', host)} + "
            f"{clause(f'{has} && has({env}.portName)', number)}"
        )

    own = of("u.env", "has(u.env)", "u.listen.port", "").replace("..env", ".env")
    reads = [
        of(
            f"u.{field}.reads.env",
            f"has(u.{field}) && has(u.{field}.reads) && has(u.{field}.reads.env)",
            f"variables.isLocal ? u.listen.port : u.{field}.reads.listen.port",
            f"{field}.reads",
        )
        for field in ("redis", "postgres")
    ]
    return f"object.spec.upstreams.transformList(i, u, {' + '.join([own, *reads])}).flatten()"


def _contradictions() -> str:
    told = (
        "string(v.path) + ': \"' + string(v.name) + '\" is ' + string(o.value) + ' by ' + string(o.path) + "
        "': choose another name'"
    )
    return later(
        "variables.environment",
        "variables.environmentNames",
        told,
        item="v",
        condition="o.value != v.value",
    )


def _set_twice() -> str:
    first = "variables.environment.filter(v, v.name == e)"
    told = (
        f"string({first}[0].path) + ': \"' + string(e) + '\" is already set by ' + "
        f"string(c.path) + '.env[' + string(j) "
        "+ ']: take it out there or choose another name'"
    )
    return (
        "variables.containers.filter(c, c.own).map(c, c.env.transformList(j, e, "
        f"variables.environment.exists(v, v.name == e), {told})).flatten()"
    )


def _metrics_ports() -> str:
    first = "object.spec.?proxy.?metricsPort.orValue(8404)"
    last = f"{first} + variables.proxies.size() - 1"
    told = (
        "'spec.proxy.metricsPort: each of an Ambassador\\'s proxies takes the next port: give at most '"
        f" + string({LAST_PORT} + 1 - variables.proxies.size())"
    )
    return clause(f"variables.proxies.size() > 0 && {last} > {LAST_PORT}", told)


def _unix_sockets() -> str:
    socket = record(
        place=f"'{SOCKETS_DIRECTORY}/' + u.listen.unixSocket.volume + '/' + u.listen.unixSocket.name",
        path=indexed("spec.upstreams", "i", ".listen.unixSocket"),
    )
    return (
        "variables.isLocal ? [] : object.spec.upstreams.transformList(i, u, "
        f"has(u.listen.unixSocket), {socket})"
    )


def _sockets() -> str:
    left = LONGEST_SOCKET - len(SOCKETS_DIRECTORY) - 2
    taken = "string(s.path) + ': another upstream has this socket: choose another name'"
    long = f"string(s.path) + ': a socket\\'s path can\\'t be so long: {left} characters for both names'"
    places = "variables.unixSockets.map(u, string(u.place))"
    return (
        f"{later('variables.unixSockets', places, taken, item='s')}"
        f" + variables.unixSockets.filter(s, string(s.place).size() > {LONGEST_SOCKET}).map(s, {long})"
    )
