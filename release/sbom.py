"""The bill of materials of an image in the engine, read from the image itself."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import IO

from release.spdx import Package, debian_package, document, go_modules, python_distribution
from testbed.cluster.command import run
from testbed.cluster.image import image_id
from testbed.cluster.image_archive import files, source_date_epoch

STATUS = re.compile(r"var/lib/dpkg/status\.d/[^/]+")
METADATA = re.compile(r"opt/podpatterns/[^/]+\.dist-info/METADATA")
# A helper's own program.
PROGRAM = re.compile(r"(usr/local/bin/)?[a-z-]+")


def bill_of_materials(tag: str) -> str:
    """Return the SPDX document of the image `tag`."""
    with tempfile.TemporaryDirectory() as directory:
        archive = Path(directory, "image.tar")
        run("docker", "save", f"--output={archive}", tag)
        packages: list[Package] = []
        with files(archive) as entries:
            for entry, content in entries:
                name = entry.name.removeprefix("./")
                if content is None:
                    continue
                if STATUS.fullmatch(name):
                    packages.append(debian_package(content.read().decode()))
                elif METADATA.fullmatch(name):
                    packages.append(python_distribution(content.read().decode()))
                elif PROGRAM.fullmatch(name):
                    packages += _of_program(content, Path(directory, "program"))
    return document(tag, image_id(tag), packages, source_date_epoch())


def _of_program(content: IO[bytes], path: Path) -> list[Package]:
    path.write_bytes(content.read())
    return go_modules(run("go", "version", "-m", path))
