"""The project's own Go programs, built from the sources of this checkout."""

from __future__ import annotations

import functools
from pathlib import Path

from testbed.cluster.cache import cached, digest
from testbed.cluster.go import BUILD_FLAGS, go, toolchain
from testbed.cluster.progress import step

FLAGS = (*BUILD_FLAGS, "-ldflags=-s -w", "-tags=nethttpomithttp2")
"""HTTP/2 is left out: probes, metrics, webhooks and Git don't ask for it, and every Pod with a helper would
carry a third of a megabyte for it."""

HELPERS = Path(__file__).parents[2] / "helpers" / "cmd"

# A line for the module of each package, with its version, and one for each file of a module of ours.
_FILE = "\n{{$.ImportPath}}/{{.}}\t{{$.Dir}}/{{.}}"
_KINDS = ("GoFiles", "SFiles", "EmbedFiles")
_DEPENDENCY = (
    "{{with .Module}}{{.}} {{.GoVersion}}{{if .Main}}"
    + "".join(f"{{{{range $.{kind}}}}}{_FILE}{{{{end}}}}" for kind in _KINDS)
    + "{{end}}{{end}}"
)


@functools.cache
def own_program(package: Path) -> Path:
    """Return the static program of the Go package in the directory `package`, named as that directory."""
    name = package.name

    def build(directory: Path) -> None:
        with step(f"Build {name}"):
            go("build", *FLAGS, "-o", directory / name, ".", directory=package)

    return cached(f"programs/{name}", digest(*sources(package), toolchain(package), *FLAGS), build) / name


def sources(package: Path) -> list[Path | str]:
    """Return what a program is made from: its own module's files with their names, other modules' versions.

    Tests, and what only other programs of the same module import, are not among it.
    """
    found: list[Path | str] = []
    for line in go("list", *FLAGS, "-deps", "-f", _DEPENDENCY, ".", directory=package).splitlines():
        name, _, path = line.partition("\t")
        found += [name, Path(path)] if path else [name]
    return found
