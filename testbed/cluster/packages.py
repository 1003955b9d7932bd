"""Debian packages this machine needs before it can run containers."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from testbed.cluster.cache import lock
from testbed.cluster.command import run
from testbed.cluster.progress import step

# Asked by Debian's package scripts before they start a service; 101 means "don't".
SERVICE_POLICY = Path("/usr/sbin/policy-rc.d")


class PackagesMissing(RuntimeError):
    """Programs are missing that this process may not install; the message has the command that does."""


def require(packages: dict[str, str]) -> None:
    """Installs what is missing of `packages`, from a program's name to the Debian package that holds it.

    Raises:
        PackagesMissing: only root can install them, and only where there is apt.
        CommandFailed: apt-get failed.
    """
    with lock("packages"):
        missing = sorted({package for program, package in packages.items() if not shutil.which(program)})
        if missing:
            _install(missing)


def _install(packages: list[str]) -> None:
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise PackagesMissing(f"please install: sudo {' '.join(install)}")
    with step(f"Install {', '.join(packages)}"), _no_services_started():
        run("apt-get", "update")
        run(*install, environment={"DEBIAN_FRONTEND": "noninteractive"})


@contextmanager
def _no_services_started() -> Iterator[None]:
    """A service of the machine is for its owner to start. A policy that is there already is left alone."""
    if SERVICE_POLICY.exists():
        yield
        return
    SERVICE_POLICY.write_text("#!/bin/sh\nexit 101\n")
    SERVICE_POLICY.chmod(0o755)
    try:
        yield
    finally:
        SERVICE_POLICY.unlink()


if __name__ == "__main__":
    # PROGRAM, or PROGRAM=PACKAGE where their names differ.
    pairs = (argument.partition("=") for argument in sys.argv[1:])
    require({program: package or program for program, _, package in pairs})
