"""The package of the chart."""

from __future__ import annotations

import gzip
import io
import tarfile
import tempfile
from pathlib import Path

from testbed.cluster.command import run
from testbed.cluster.image_archive import normalize_tar, source_date_epoch
from testbed.cluster.images import VERSION
from testbed.cluster.programs import program
from testbed.release import CHART, NAME

PACKAGE = f"{NAME}-{VERSION}.tgz"


def package(directory: Path) -> None:
    """Write what `helm package` makes, the same whenever it is made."""
    epoch, content = source_date_epoch(), io.BytesIO()
    with tempfile.TemporaryDirectory() as work:
        run(program("helm"), "package", CHART, f"--destination={work}")
        with tarfile.open(Path(work, PACKAGE)) as made:
            # Helm wants this one first.
            normalize_tar(made, content, epoch, first=lambda name: name == f"{NAME}/Chart.yaml")
    (directory / PACKAGE).write_bytes(gzip.compress(content.getvalue(), mtime=epoch))
