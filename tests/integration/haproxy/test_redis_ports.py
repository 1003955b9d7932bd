"""A real Redis behind two ports of the real HAProxy: the primary behind one, replicas behind the other."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
import trustme

from testbed.cluster.packages import require
from testbed.cluster.process import Process
from testbed.eventually import eventually
from testbed.ports import free_port
from tests.integration.haproxy.servers import haproxy, listens

COUNT = 3


class Connection:
    """Of a client; commands go as a line each."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=20)

    def ask(self, command: str) -> str:
        """The answer's beginning; empty when the connection is closed instead."""
        try:
            self._socket.sendall(f"{command}\r\n".encode())
            return self._socket.recv(4096).decode()
        except ConnectionError:
            return ""

    def close(self) -> None:
        self._socket.close()


def ask(port: int, command: str) -> str:
    connection = Connection(port)
    try:
        return connection.ask(command)
    finally:
        connection.close()


def role(port: int) -> str:
    """Of the server that a new connection meets; empty when it meets none."""
    words = ask(port, "ROLE").split("\r\n")
    return words[2] if len(words) > 2 else ""


class Redis:
    """A primary and replicas. They are named with the replicas first."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.directory, self.options = directory, options
        self.ports = [free_port() for _ in range(COUNT)]
        self.writes, self.reads = free_port(), free_port()
        self.servers = {port: self._server(port) for port in self.ports}

    def _server(self, port: int) -> Process:
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
        command += ["--repl-diskless-sync-delay", "0", *self.options]
        if port != self.ports[0]:
            command += ["--replicaof", f"127.0.0.1 {self.ports[0]}"]
        return Process(command, self.directory / f"redis-{port}.log")

    def follows(self, port: int) -> bool:
        """As a replica that is up to date."""
        return "\r\nconnected\r\n" in ask(port, "ROLE")

    def upstream(self, policy: str = "PreferReplica", **fields: object) -> dict[str, object]:
        redis = {
            "endpoints": [f"127.0.0.1:{port}" for port in reversed(self.ports)],
            "readPolicy": policy,
            "reads": {"listen": {"port": self.reads}},
            **fields,
        }
        return {"name": "cache", "protocol": "redis", "listen": {"port": self.writes}, "redis": redis}


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    require({"haproxy": "haproxy", "redis-server": "redis-server"})
    redis = Redis(tmp_path)
    with ExitStack() as stack:
        for port, server in redis.servers.items():
            server.start()
            stack.callback(server.kill)
            eventually(partial(listens, port))
        for replica in redis.ports[1:]:
            eventually(partial(redis.follows, replica))
        yield redis


def test_each_port_leads_to_its_role_from_the_first_connection_on(redis: Redis, tmp_path: Path) -> None:
    with haproxy(tmp_path, redis.upstream()):
        assert {ask(redis.writes, f"SET key{i} value") for i in range(COUNT)} == {"+OK\r\n"}
        assert {role(redis.writes) for _ in range(2 * COUNT)} == {"master"}
        assert {role(redis.reads) for _ in range(2 * COUNT)} == {"slave"}


def test_a_failover_is_followed(redis: Redis, tmp_path: Path) -> None:
    first, second, third = redis.ports
    with haproxy(tmp_path, redis.upstream()):
        assert role(redis.writes) == "master"
        redis.servers[first].kill()
        ask(second, "REPLICAOF NO ONE")
        ask(third, f"REPLICAOF 127.0.0.1 {second}")
        eventually(lambda: ask(redis.writes, "SET after failover"), until="+OK\r\n".__eq__)
        assert ask(second, "GET after") == "$8\r\nfailover\r\n"
        eventually(lambda: ask(redis.reads, "GET after"), until="$8\r\nfailover\r\n".__eq__)
        eventually(lambda: role(redis.reads), until="slave".__eq__)


def test_a_primary_that_loses_its_role_loses_its_connections(redis: Redis, tmp_path: Path) -> None:
    first, second, _ = redis.ports
    with haproxy(tmp_path, redis.upstream()):
        connection = Connection(redis.writes)
        assert connection.ask("SET key value") == "+OK\r\n"
        ask(second, "REPLICAOF NO ONE")
        ask(first, f"REPLICAOF 127.0.0.1 {second}")
        eventually(lambda: connection.ask("SET key other"), until="".__eq__)
        connection.close()
        eventually(lambda: ask(redis.writes, "SET key new"), until="+OK\r\n".__eq__)
        assert ask(second, "GET key") == "$3\r\nnew\r\n"


@pytest.mark.parametrize(("policy", "found"), [("PreferReplica", "master"), ("Replica", "")])
def test_without_replicas_the_policy_decides(redis: Redis, tmp_path: Path, policy: str, found: str) -> None:
    with haproxy(tmp_path, redis.upstream(policy)):
        assert role(redis.reads) == "slave"
        for replica in redis.ports[1:]:
            redis.servers[replica].kill()
        eventually(lambda: role(redis.reads), until=found.__eq__)
        assert role(redis.writes) == "master"


def test_a_replica_that_has_lost_its_primary_gets_no_reads(redis: Redis, tmp_path: Path) -> None:
    with haproxy(tmp_path, redis.upstream("Replica")):
        assert role(redis.reads) == "slave"
        redis.servers[redis.ports[0]].kill()
        eventually(lambda: role(redis.reads), until="".__eq__)


def test_over_tls(tmp_path: Path) -> None:
    require({"haproxy": "haproxy", "redis-server": "redis-server"})
    authority = trustme.CA()
    (tmp_path / "ca").mkdir()
    authority.cert_pem.write_to_path(tmp_path / "ca" / "ca.crt")
    issued = authority.issue_cert("redis")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    port, writes, reads = free_port(), free_port(), free_port()
    command = ["redis-server", "--port", "0", "--tls-port", str(port), "--bind", "127.0.0.1", "--save", ""]
    command += ["--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem", "--tls-auth-clients", "no"]
    server = Process(command, tmp_path / "redis.log")
    server.start()
    upstream = {
        "name": "cache",
        "protocol": "redis",
        "listen": {"port": writes},
        "redis": {
            "endpoints": [f"127.0.0.1:{port}"],
            "readPolicy": "PreferReplica",
            "reads": {"listen": {"port": reads}},
            "tls": {"serverName": "redis", "caSecretRef": {"name": "ca", "key": "ca.crt"}},
        },
    }
    try:
        with haproxy(tmp_path, upstream):
            eventually(lambda: ask(writes, "SET key value"), until="+OK\r\n".__eq__)
            assert role(reads) == "master"
    finally:
        server.kill()
