"""The packages of the charts."""

from __future__ import annotations

import gzip
import io
import tarfile
import tempfile
from pathlib import Path

from testbed.cluster.command import run
from testbed.cluster.image_archive import normalize_tar, source_date_epoch
from testbed.cluster.programs import program
from testbed.release import CHART

CHARTS = CHART.parent


def package(directory: Path) -> list[Path]:
    """Write what `helm package` makes of each chart, the same whenever it is made."""
    return [_package(chart, directory) for chart in sorted(CHARTS.iterdir())]


def _package(chart: Path, directory: Path) -> Path:
    epoch, content = source_date_epoch(), io.BytesIO()
    with tempfile.TemporaryDirectory() as work:
        run(program("helm"), "package", chart, f"--destination={work}")
        [made] = Path(work).iterdir()
        with tarfile.open(made) as source:
            # Helm wants this one first.
            normalize_tar(source, content, epoch, first=lambda name: name == f"{chart.name}/Chart.yaml")
    target = directory / made.name
    target.write_bytes(gzip.compress(content.getvalue(), mtime=epoch))
    return target
