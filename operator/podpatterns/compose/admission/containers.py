"""The containers of an object's own Pod, with their ports and mounts, as variables of a policy."""

from __future__ import annotations

from podpatterns.api.names import Kind
from podpatterns.compose.adapter import ROLE as ADAPTER
from podpatterns.compose.admission.cel import Variable, indexed, record, spec_list, text, texts
from podpatterns.compose.helpers.haproxy import SOCKETS_DIRECTORY
from podpatterns.compose.helpers.helper import CONFIG_DIRECTORY, SERVICE_ACCOUNT_DIRECTORY
from podpatterns.compose.helpers.metricsadapter import PROTOCOLS, VOLUMES_DIRECTORY
from podpatterns.compose.helpers.proxy import ENGINES

FILES = ("log", "json.socket", "prometheus.socket", "statsd.socket", "syslog.socket", "syslog.streamSocket")
"""Fields of a source that name a file in a shared volume."""
SERVERS = ("statsd", "syslog")
"""Fields of a source that hold the port of a server."""

_RESTARTS = "c.?restartPolicy.orValue('') == 'Always'"
_DIRECTORIES = {engine.role: engine.run_directory for engine in ENGINES if engine.run_directory}


def container_variables(kind: Kind) -> list[Variable]:
    """Return the variables about the containers; `containers` has all of them, in starting order."""
    own = [
        _written("spec.template.spec.initContainers", own=True, init=True, runs=_RESTARTS),
        _written("spec.template.spec.containers", own=True, init=False),
    ]
    match kind.kind:
        case "SidecarApp":
            before = _sidecars("BeforeApp")
            return [_all(before, *own, _sidecars("WithApp"))]
        case "Ambassador":
            return [
                Variable("roles", f"object.spec.upstreams.map(u, {_role('u')})"),
                Variable("isLocal", "object.spec.?mode.orValue('Proxy') == 'Local'"),
                Variable(
                    "proxies",
                    f"variables.isLocal ? [] : {texts(e.role for e in ENGINES)}.filter(r, "
                    f"r in variables.roles)",
                ),
                *_altered("proxy"),
                _all(_local_servers(), _proxies(), *own),
            ]
    return [*_altered("adapter"), _all(_adapter(), *own)]


def _all(*lists: str) -> Variable:
    return Variable("containers", " + ".join(lists))


def _written(path: str, *, own: bool, init: bool, runs: str = "true", only: str = "") -> str:
    """Return the containers of a list that people wrote."""
    items, at = spec_list(path.removeprefix("spec.")), indexed(path, "i")
    return f"{items}.transformList(i, c, {only}{_entry('c', at, own=own, init=init, runs=runs)})"


def _sidecars(order: str) -> str:
    condition = f"c.?order.orValue('BeforeApp') == '{order}', "
    return _written("spec.sidecars", own=False, init=order == "BeforeApp", only=condition)


def _entry(c: str, at: str, *, own: bool, init: bool, runs: str = "true", more_ports: str = "") -> str:
    """Return a container that people wrote; `init` if it is among the Pod's init containers."""
    port = _port(
        "p.containerPort",
        "p.?protocol.orValue('TCP')",
        f"{at} + '.ports[' + string(j) + '].containerPort'",
        at,
        host="p.?hostPort.orValue(0)",
        host_key=(
            f"{at if init else text('')} + ' ' + p.?hostIP.orValue('') + ' ' + p.?protocol.orValue('TCP')"
        ),
        host_path=f"{at} + '.ports[' + string(j) + '].hostPort'",
    )
    return record(
        name=f"{c}.name",
        image=f"{c}.?image.orValue('')",
        path=at,
        own=str(own).lower(),
        composed="false",
        altered="false",
        runs=runs,
        ports=f"{c}.?ports.orValue([]).transformList(j, p, {port}){more_ports}",
        mounts=f"{c}.?volumeMounts.orValue([]).transformList(j, m, "
        + _mount(
            "m.name",
            "m.mountPath",
            f"{at} + '.volumeMounts[' + string(j) + '].name'",
            fixed="has(m.subPath) || has(m.subPathExpr)",
        )
        + ")",
        env=f"{c}.?env.orValue([]).map(e, e.name)",
    )


def _port(  # noqa: PLR0913 (a record)
    number: str,
    protocol: str,
    path: str,
    container: str,
    *,
    composed: str = "false",
    host: str = "0",
    host_key: str = "''",
    host_path: str = "''",
) -> str:
    return record(
        number=number,
        protocol=protocol,
        path=path,
        container=container,
        composed=composed,
        host=host,
        hostKey=host_key,
        hostPath=host_path,
    )


def _mount(name: str, at: str, path: str, fixed: str = "false") -> str:
    return record(name=name, at=at, path=path, fixed=fixed)


def _local_servers() -> str:
    at = indexed("spec.upstreams", "i", ".local.container")
    listens = (
        " + (u.local.container.?ports.orValue([]).exists(p, p.containerPort == u.listen.port) ? [] : ["
        + _port("u.listen.port", "'TCP'", indexed("spec.upstreams", "i", ".listen.port"), at)
        + "])"
    )
    entry = _entry("u.local.container", at, own=False, init=True, more_ports=listens)
    return f"object.spec.upstreams.transformList(i, u, variables.isLocal && has(u.local), {entry})"


def _proxies() -> str:
    """Return the proxies. People can change anything in them: what they change is not judged here."""
    at = "'spec.proxy.container'"

    def listening(condition: str, listen: str, path: str) -> str:
        found = _port(
            f"{listen}.port", "'TCP'", indexed("spec.upstreams", "i", f".{path}.port"), at, composed="true"
        )
        return f"({condition} ? [{found}] : [])"

    ports = " + ".join(
        [
            listening("true", "u.listen", "listen"),
            *(
                listening(
                    f"has(u.{field}) && has(u.{field}.reads)",
                    f"u.{field}.reads.listen",
                    f"{field}.reads.listen",
                )
                for field in ("redis", "postgres")
            ),
        ]
    )
    metrics = _port(
        "object.spec.?proxy.?metricsPort.orValue(8404) + k",
        "'TCP'",
        "'spec.proxy.metricsPort'",
        at,
        composed="true",
    )
    directories = ", ".join(f"{text(role)}: {text(path)}" for role, path in _DIRECTORIES.items())
    run = _mount("r + '-run'", f"{{{directories}}}[r]", at)
    socket = _mount(
        "u.listen.unixSocket.volume",
        f"'{SOCKETS_DIRECTORY}/' + u.listen.unixSocket.volume",
        indexed("spec.upstreams", "i", ".listen.unixSocket.volume"),
    )
    entry = record(
        name="object.spec.?proxy.?container.?name.orValue(r)",
        image="object.spec.?proxy.?container.?image.orValue('')",
        path=at,
        own="false",
        composed="true",
        altered="variables.alteredMounts",
        runs="true",
        ports="variables.alteredPorts ? [] : object.spec.upstreams.transformList(i, u, "
        f"variables.roles[i] == r, {ports}).flatten() + [{metrics}]",
        mounts=f"variables.alteredMounts ? [] : [{_mount('r', text(CONFIG_DIRECTORY), at)}]"
        f" + [{_mount('r', text(SERVICE_ACCOUNT_DIRECTORY), at)}]"
        f" + (r in {texts(_DIRECTORIES)} ? [{run}] : [])"
        f" + object.spec.upstreams.transformList(i, u, variables.roles[i] == r && "
        f"has(u.listen.unixSocket), {socket})",
        env="[]",
    )
    return f"variables.proxies.transformList(k, r, {entry})"


def _adapter() -> str:
    at = "'spec.adapter.container'"
    ports = " + ".join(
        f"object.spec.sources.transformList(i, s, has(s.{member}) && has(s.{member}.port), "
        f"{texts(PROTOCOLS)}.map(protocol, "
        + _port(
            f"s.{member}.port",
            "protocol",
            indexed("spec.sources", "i", f".{member}.port"),
            at,
            composed="true",
        )
        + ")).flatten()"
        for member in SERVERS
    )
    metrics = _port(
        "object.spec.?metrics.?port.orValue(9090)", "'TCP'", "'spec.metrics.port'", at, composed="true"
    )
    mounts = " + ".join(
        f"object.spec.sources.transformList(i, s, {there(f's.{field}')}, "
        + _mount(
            f"s.{field}.volume",
            f"'{VOLUMES_DIRECTORY}/' + s.{field}.volume",
            indexed("spec.sources", "i", f".{field}.volume"),
        )
        + ")"
        for field in FILES
    )
    return (
        "["
        + record(
            name=f"object.spec.?adapter.?container.?name.orValue({text(ADAPTER)})",
            image="object.spec.?adapter.?container.?image.orValue('')",
            path=at,
            own="false",
            composed="true",
            altered="variables.alteredMounts",
            runs="true",
            ports=f"variables.alteredPorts ? [] : [{metrics}] + {ports}",
            mounts=(
                f"variables.alteredMounts ? [] : "
                f"[{_mount(text(ADAPTER), text(CONFIG_DIRECTORY), at)}]"
                f" + [{_mount(text(ADAPTER), text(SERVICE_ACCOUNT_DIRECTORY), at)}] + {mounts}"
            ),
            env="[]",
        )
        + "]"
    )


def there(path: str) -> str:
    """Return whether a field and all that holds it are there: has(s.json) && has(s.json.socket)."""
    steps = path.split(".")
    return " && ".join(f"has({'.'.join(steps[:n])})" for n in range(2, len(steps) + 1))


def _altered(field: str) -> list[Variable]:
    """Return whether people gave a helper ports or mounts of theirs, which are merged with its own."""
    container = f"object.spec.?{field}.?container"
    return [
        Variable("alteredPorts", f"{container}.?ports.hasValue()"),
        Variable("alteredMounts", f"{container}.?volumeMounts.hasValue()"),
    ]


def _role(u: str) -> str:
    """Return the role of the proxy that serves an upstream."""
    fields = ("authSecretRef", "monitorAuthSecretRef", "sentinel", "maxReplicaLag", "readAfterWrite")
    trust = f"{u}.redis.tls.?insecureSkipVerify.orValue(false)"
    asks = " || ".join(f"has({u}.redis.{field})" for field in fields)
    asks += f" || has({u}.redis.tls) && (has({u}.redis.tls.certSecretRef) || {trust})"
    splitter, forwarder, pooler = (text(engine.role) for engine in ENGINES)
    return (
        f"has({u}.redis) && (!has({u}.redis.reads) || {asks}) ? {splitter}"
        f" : has({u}.postgres) ? {pooler} : {forwarder}"
    )
