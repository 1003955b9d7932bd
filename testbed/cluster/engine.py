"""A Docker engine: the one that already works, or one of our own where none does.

Our own is Debian's dockerd, kept to its own places: images and containers lie in the user's cache, so that
they outlive a restart of the machine, socket and pid in /run. There is no default bridge, and kind's network
gets addresses that no route of the machine uses. It goes on when this process ends; `stop` ends it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

from testbed.cluster.cache import cache_directory, lock
from testbed.cluster.command import CommandFailed, run
from testbed.cluster.own_programs import own_program
from testbed.cluster.packages import require
from testbed.cluster.process import Process
from testbed.cluster.progress import step
from testbed.eventually import eventually

# Not in the cache: the path of a socket may have no more than 107 characters.
RUN = Path("/run/podpatterns")
HOST = f"unix://{RUN}/docker.sock"
CONFIGURATION = RUN / "dockerd.json"
PID = RUN / "dockerd.pid"

START_SECONDS = 60
STOP_SECONDS = 60


class EngineMissing(RuntimeError):
    """No Docker engine answers, and this process may not start one."""


def find() -> bool:
    """Return True when an engine answers; DOCKER_HOST leads this process and its children to our own."""
    if _answers():
        return True
    if _other_wanted() or not _answers(HOST):
        return False
    os.environ["DOCKER_HOST"] = HOST
    return True


def ensure() -> None:
    """Does what `find` does, and starts an engine of our own when there is none.

    Raises:
        EngineMissing: there is none, and this process may not start one.
        PackagesMissing: the programs for it are missing, and this process may not install them.
        RuntimeError: it didn't come up; the message has the end of its log.
    """
    if find():
        return
    if _other_wanted():
        raise EngineMissing(f"no Docker engine answers at DOCKER_HOST={os.environ['DOCKER_HOST']}")
    if os.geteuid() != 0:
        raise EngineMissing(
            "no Docker engine answers: start one, or become root to have one installed and started"
        )
    require({"docker": "docker.io", "dockerd": "docker.io"})
    with lock("engine"):
        if not _answers(HOST):
            with step("Start a Docker engine"):
                _start()
    os.environ["DOCKER_HOST"] = HOST


def stop() -> bool:
    """Stops our own engine with all its containers, and no other. False when it doesn't run."""
    pid = _pid()
    if pid is None:
        return False
    os.kill(pid, signal.SIGTERM)
    eventually(_pid, STOP_SECONDS, until=lambda pid: pid is None)
    return True


def _other_wanted() -> bool:
    """Return True when the user names an engine that isn't ours."""
    return os.environ.get("DOCKER_HOST", HOST) != HOST


def _answers(host: str | None = None) -> bool:
    if not shutil.which("docker"):
        return False
    chosen = ["--host", host] if host else []
    try:
        run("docker", *chosen, "version", "--format", "{{.Server.Version}}")
    except CommandFailed:
        return False
    return True


def _pid() -> int | None:
    """The process id of our own engine. The file alone proves nothing: it may be from before a restart."""
    try:
        pid = int(PID.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return None
    return pid if str(CONFIGURATION) in command else None


def _start() -> None:
    state = cache_directory() / "engine"
    for directory in (RUN, state):
        directory.mkdir(parents=True, exist_ok=True)
    PID.unlink(missing_ok=True)
    configuration = {
        "hosts": [HOST],
        "pidfile": str(PID),
        "exec-root": str(RUN / "exec"),
        "data-root": str(state / "data"),
        "bridge": "none",
        **_runtime(),
    }
    CONFIGURATION.write_text(json.dumps(configuration, indent=2))
    daemon = Process(["dockerd", "--config-file", CONFIGURATION], state / "dockerd.log", keep=True)
    daemon.start()

    def up() -> bool:
        daemon.check()
        return _answers(HOST)

    try:
        eventually(up, START_SECONDS)
    except TimeoutError as error:
        daemon.stop()
        raise RuntimeError(f"dockerd doesn't answer\n{daemon.log_tail()}") from error
    daemon.leave()


def _runtime() -> dict[str, object]:
    """The configuration of the OCI runtime: runc, or our wrapper where the machine withholds a capability."""
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    status = Path("/proc/self/status").read_text()
    bounding = next(line for line in status.splitlines() if line.startswith("CapBnd:"))
    if int(bounding.split()[1], 16) == (1 << last + 1) - 1:
        return {}
    wrapper = own_program(Path(__file__).parent / "runc-capped")
    return {"runtimes": {"capped": {"path": str(wrapper)}}, "default-runtime": "capped"}
