"""The image that the helpers are compiled in."""

from __future__ import annotations

import functools
import os
import tarfile
from pathlib import Path

from testbed.cluster.cache import cached, digest
from testbed.cluster.debian import TRIXIE, debian
from testbed.cluster.go import go, toolchain
from testbed.cluster.image import Image, image_id, pull
from testbed.cluster.own_programs import FLAGS
from testbed.cluster.progress import step

CHECKOUT = Path(__file__).parents[2]
HELPERS = CHECKOUT / "helpers"
DOCKERFILE = Path(__file__).with_name("golang.Dockerfile")

PUBLISHED = "golang:1.26-trixie"
BUILT = "podpatterns/golang:1.26"

# What no program is compiled from.
LEFT_OUT = {"api", "doc", "misc", "test"}

_IMPORTS = '{{with .Module}}{{if .Main}}{{join $.Imports "\\n"}}{{end}}{{end}}'


@functools.cache
def golang() -> str:
    """Return the tag of an image with Go: the published one, or one with the Go of this machine.

    In the latter, what the helpers import is compiled already.
    """
    if image_id(PUBLISHED) or (not image_id(BUILT) and pull(PUBLISHED)):
        return PUBLISHED
    context = {
        "Dockerfile": DOCKERFILE,
        "go.tar": _toolchain(),
        "images/compile": CHECKOUT / "images" / "compile",
        "helpers/go.mod": HELPERS / "go.mod",
        "helpers/go.sum": HELPERS / "go.sum",
        "helpers/cmd/imports/main.go": _imports(),
    }
    Image(BUILT, context, {"DEBIAN": debian(TRIXIE)}).build()
    return BUILT


def _toolchain() -> Path:
    version = toolchain(HELPERS)
    root = Path(go("env", "GOROOT", directory=HELPERS))

    def pack(directory: Path) -> None:
        with step("Pack Go"), tarfile.open(directory / "go.tar", "w") as archive:
            for name in sorted(os.listdir(root)):
                if name not in LEFT_OUT:
                    archive.add(root / name, f"go/{name}")

    return cached("golang", digest(version), pack) / "go.tar"


def _imports() -> Path:
    """Return a program that does nothing but import what the helpers do."""
    lines = go("list", *FLAGS, "-deps", "-f", _IMPORTS, "./cmd/...", directory=HELPERS).splitlines()
    names = sorted({line for line in lines if line and not line.startswith("podpatterns.dev/")})
    imports = "".join(f'import _ "{name}"\n' for name in names)
    source = f"package main\n\n{imports}\nfunc main() {{}}\n"

    def write(directory: Path) -> None:
        (directory / "main.go").write_text(source)

    return cached("golang-imports", digest(source), write) / "main.go"
