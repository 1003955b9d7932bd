"""What the operator writes for a PostgreSQL that is followed, postgres-ambassador runs, with the real
PgBouncer."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from podpatterns.compose import compose
from testbed.builders import ambassador, template
from testbed.cluster.own_programs import HELPERS, own_program
from testbed.cluster.packages import require
from testbed.cluster.process import Process
from testbed.eventually import eventually
from testbed.ports import free_port
from tests.integration.postgres.server import postgres

AS_NOBODY = ["unshare", "--user", "--map-user=nobody", "--"] if os.geteuid() == 0 else []
"""PgBouncer refuses to be root's."""


@pytest.fixture(autouse=True, scope="module")
def _programs() -> None:
    require({"pgbouncer": "pgbouncer", "pg_ctlcluster": "postgresql", "unshare": "util-linux"})


def ask(port: int, sql: str) -> str:
    command = [
        "psql",
        "-qAtX",
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
        "-U",
        "owner",
        "-d",
        "postgres",
        "-c",
        sql,
    ]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout.strip()


def test_every_setting_is_taken(tmp_path: Path) -> None:
    port, reads, metrics = free_port(), free_port(), free_port()
    with postgres(tls=True, access="hostssl all owner all trust") as server, TemporaryDirectory() as run:
        upstream = {
            "name": "db",
            "protocol": "postgres",
            "listen": {"port": port},
            "env": {"hostName": "PGHOST"},
            "required": False,
            "healthCheck": {"interval": "200ms"},
            "postgres": {
                "endpoints": [f"127.0.0.1:{server.port}"],
                "username": "owner",
                "authSecretRef": {"name": "pg", "key": "password"},
                "database": "postgres",
                "pooling": {"mode": "Transaction"},
                "tls": {"serverName": "localhost", "caSecretRef": {"name": "ca", "key": "ca.crt"}},
                "reads": {"listen": {"port": reads}, "env": {"portName": "READS"}},
            },
        }
        [file] = compose(
            ambassador(template=template(), upstreams=[upstream], proxy={"startWhen": "Healthy"}), {}
        ).files
        for name, content in {
            "pgbouncer.yaml": file.text.encode(),
            "secrets/pg/password": b"not asked for",
            "secrets/ca/ca.crt": server.authority.cert_pem.bytes(),
        }.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(content)
        command: list[str | Path] = [*AS_NOBODY, own_program(HELPERS / "postgres-ambassador")]
        command += [f"--config={tmp_path}/pgbouncer.yaml", f"--secrets={tmp_path}/secrets"]
        command += [f"--metrics=127.0.0.1:{metrics}", f"--run={run}/r"]
        process = Process(command, tmp_path / "log")
        process.start()
        try:
            eventually(
                lambda: ask(port, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"),
                until="t".__eq__,
            )
            assert ask(reads, "SELECT pg_is_in_recovery()") == "f"
        finally:
            process.stop()
