"""The operator and what it requires as Python wheels, for its image."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

from testbed.cluster.cache import cached, digest
from testbed.cluster.command import run
from testbed.cluster.progress import step

CHECKOUT = Path(__file__).parents[2]
REQUIREMENTS = CHECKOUT / "requirements" / "operator.txt"

# The Python of Debian bookworm, whatever runs here, and the C libraries it's compatible with.
PYTHON = "3.11"
C_LIBRARIES = ("manylinux_2_36", "manylinux_2_28", "manylinux_2_17", "manylinux2014")


def requirements_wheels() -> Path:
    """A directory with the wheels that `requirements/operator.txt` pins."""
    platforms = [f"--platform={library}_{platform.machine()}" for library in C_LIBRARIES]
    target = [f"--python-version={PYTHON}", "--only-binary=:all:", *platforms]

    def download(directory: Path) -> None:
        with step("Download the operator's requirements"):
            _pip("download", "--require-hashes", "--dest", directory, "-r", REQUIREMENTS, *target)

    return cached("wheels", digest(REQUIREMENTS, *target), download)


def operator_wheel() -> Path:
    """A directory with the wheel of this checkout's operator."""
    sources = [CHECKOUT / name for name in ("operator/podpatterns", "pyproject.toml", "README.md", "LICENSE")]

    def build(directory: Path) -> None:
        with step("Build the operator's wheel"):
            _pip(
                "wheel", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", directory, CHECKOUT
            )

    return cached("wheels", digest(*sources), build)


def _pip(*arguments: str | Path) -> None:
    run(sys.executable, "-m", "pip", "--quiet", *arguments)
