"""A real PostgreSQL."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import trustme

from testbed.cluster.process import Process
from testbed.eventually import eventually
from testbed.ports import free_port


class Postgres:
    """A server with a superuser `owner`, so none that is called postgres, and the lines of a pg_hba.conf."""

    def __init__(self, directory: Path, *, tls: bool, access: str) -> None:
        self.port = free_port()
        self.log = directory / "postgres.log"
        self._data = directory / "data"
        self._programs = max(Path("/usr/lib/postgresql").glob("*/bin"))
        # It refuses to be root's.
        user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self._as_user = ["setpriv", f"--reuid={user}", "--clear-groups", "--"]
        self._data.mkdir()
        self.authority = trustme.CA()
        """Signed its certificate, for localhost."""
        certificate = self.authority.issue_cert("localhost")
        self._run("chown", user, self._data)
        self._run(*self._as_user, self._programs / "initdb", "-D", self._data, "-U", "owner", "-A", "trust")
        certificate.private_key_pem.write_to_path(self._data / "server.key")
        certificate.cert_chain_pems[0].write_to_path(self._data / "server.crt")
        for name in ("server.key", "server.crt"):
            self._run("chown", user, self._data / name)
            (self._data / name).chmod(0o600)
        (self._data / "pg_hba.conf").write_text(access + "\n")
        options = [f"-cport={self.port}", f"-cssl={'on' if tls else 'off'}", "-cunix_socket_directories="]
        options += ["-clisten_addresses=127.0.0.1", "-cfsync=off", "-clog_connections=on"]
        command: list[str | Path] = [*self._as_user, self._programs / "postgres", "-D", self._data, *options]
        self.process = Process(command, self.log)

    @staticmethod
    def _run(*command: str | Path) -> None:
        subprocess.run(command, check=True, capture_output=True)

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines()


@contextmanager
def postgres(*, tls: bool, access: str) -> Iterator[Postgres]:
    with TemporaryDirectory() as place:
        Path(place).chmod(0o755)  # pytest's own directories are for one user alone
        server = Postgres(Path(place), tls=tls, access=access)
        server.process.start()
        try:
            eventually(lambda: any("ready to accept connections" in line for line in server.lines()))
            yield server
        finally:
            server.process.stop()
