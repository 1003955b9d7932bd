"""The real HAProxy stands for a real PostgreSQL."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from testbed.cluster.packages import require
from testbed.eventually import eventually
from testbed.ports import free_port
from tests.integration.haproxy.servers import haproxy
from tests.integration.postgres.server import postgres

CHECK = {"interval": "500ms", "unhealthyThreshold": 1}
"""An answer that takes longer on a busy machine is cut off, and the log says so."""
CHECKS = 5
"""Enough to find out that a server is down."""
SSL_REQUEST = bytes.fromhex("0000000804d2162f")


@pytest.fixture(autouse=True, scope="module")
def _programs() -> None:
    require({"haproxy": "haproxy", "pg_ctlcluster": "postgresql"})


def answer(port: int) -> bytes:
    """The answer to an SSLRequest; empty when the connection is closed instead."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
            client.sendall(SSL_REQUEST)
            return client.recv(1)
    except ConnectionError:
        return b""


@pytest.mark.parametrize(
    ("tls", "access", "says"),
    [
        pytest.param(True, "hostssl all all all scram-sha-256", b"S", id="TLS only"),
        pytest.param(False, "host all app all scram-sha-256", b"N", id="no user postgres"),
    ],
)
def test_a_server_that_answers_is_healthy_and_its_log_stays_quiet(
    tmp_path: Path, tls: bool, access: str, says: bytes
) -> None:
    with postgres(tls=tls, access=access) as server:
        started = len(server.lines())
        port = free_port()
        upstream = {
            "name": "db",
            "protocol": "postgres",
            "listen": {"port": port},
            "endpoints": [f"127.0.0.1:{server.port}"],
            "healthCheck": CHECK,
        }
        with haproxy(tmp_path, upstream):
            checks = eventually(lambda: server.lines()[started:], until=lambda lines: len(lines) > CHECKS)
            assert [line for line in checks if "connection received" not in line] == []
            assert answer(port) == says
            assert "DOWN" not in (tmp_path / "haproxy.log").read_text()
            server.process.stop()
            eventually(lambda: answer(port), until=b"".__eq__)
