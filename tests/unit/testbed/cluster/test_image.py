from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

from testbed.cluster.image import write_tar

if TYPE_CHECKING:
    from pathlib import Path


def test_a_context_depends_on_nothing_but_names_content_and_executable_bits(tmp_path: Path) -> None:
    def tree(name: str, umask: int) -> dict[str, Path]:
        root = tmp_path / name
        (root / "bin").mkdir(parents=True, mode=0o777 & ~umask)
        for file, mode in (("bin/run", 0o777), ("text", 0o666)):
            (root / file).write_text(file)
            (root / file).chmod(mode & ~umask)
        return {"Dockerfile": root / "text", "root": root}

    one, other = io.BytesIO(), io.BytesIO()
    write_tar(one, tree("one", 0o022))
    write_tar(other, tree("other", 0o077))

    assert one.getvalue() == other.getvalue()
    one.seek(0)
    with tarfile.open(fileobj=one) as archive:
        assert {entry.name: (entry.mode, entry.uid, entry.mtime) for entry in archive} == {
            "Dockerfile": (0o644, 0, 0),
            "root": (0o755, 0, 0),
            "root/bin": (0o755, 0, 0),
            "root/bin/run": (0o755, 0, 0),
            "root/text": (0o644, 0, 0),
        }
