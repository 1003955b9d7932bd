"""The project's own Go programs, built from the sources of this checkout."""

from __future__ import annotations

from pathlib import Path

from e2e.cluster.cache import cached, digest
from e2e.cluster.command import run
from e2e.cluster.programs import FLAGS
from e2e.cluster.progress import step

ENVIRONMENT = {"CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}


def own_program(module: Path, package: str = ".") -> Path:
    """The static program that `package` of the Go module in `module` makes, named as that directory."""
    name = module.name
    toolchain = run("go", "env", "GOVERSION", "GOOS", "GOARCH", environment=ENVIRONMENT, directory=module)

    def build(directory: Path) -> None:
        with step(f"Build {name}"):
            run(
                "go", "build", *FLAGS, "-ldflags=-s -w", "-o", directory / name, package,
                environment=ENVIRONMENT, directory=module,
            )  # fmt: skip

    return cached(f"programs/{name}", digest(module, toolchain, *FLAGS, package), build) / name
