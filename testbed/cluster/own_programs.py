"""The project's own Go programs, built from the sources of this checkout."""

from __future__ import annotations

from pathlib import Path

from testbed.cluster.cache import cached, digest
from testbed.cluster.go import BUILD_FLAGS, go, toolchain
from testbed.cluster.progress import step

FLAGS = (*BUILD_FLAGS, "-ldflags=-s -w", "-tags=nethttpomithttp2")
"""HTTP/2 is left out: probes, metrics, webhooks and Git don't ask for it, and every Pod with a helper would
carry a third of a megabyte for it."""


def own_program(module: Path, package: str = ".") -> Path:
    """The static program that `package` of the Go module in `module` makes, named as that directory."""
    name = module.name

    def build(directory: Path) -> None:
        with step(f"Build {name}"):
            go("build", *FLAGS, "-o", directory / name, package, directory=module)

    return cached(f"programs/{name}", digest(module, toolchain(module), *FLAGS, package), build) / name
