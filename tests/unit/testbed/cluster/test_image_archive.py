from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

from testbed.cluster.image_archive import files, normalize


def test_two_builds_of_the_same_content_are_one_archive(tmp_path: Path) -> None:
    content = {"usr/b": b"b", "a": b"a"}
    one = saved(tmp_path / "one.tar", content, time=1, created="2026-01-01T00:00:00Z")
    other = saved(
        tmp_path / "other.tar", dict(reversed(content.items())), time=2, created="2026-02-02T00:00:00Z"
    )

    for archive in (one, other):
        normalize(archive, archive.with_suffix(".normal"), "podpatterns/x:1")

    assert one.with_suffix(".normal").read_bytes() == other.with_suffix(".normal").read_bytes()


def test_content_and_configuration_stay(tmp_path: Path) -> None:
    archive = saved(
        tmp_path / "saved.tar", {"a": b"a", "usr/b": b"b"}, time=1, created="2026-01-01T00:00:00Z"
    )
    normal = tmp_path / "normal.tar"

    normalize(archive, normal, "podpatterns/x:1")

    with files(normal) as entries:
        held = {entry.name: content.read() if content else entry.linkname for entry, content in entries}
    assert held == {"a": b"a", "usr/b": b"b", "link": "a"}
    with tarfile.open(normal) as opened:
        [manifest] = json.load(opened.extractfile("manifest.json") or io.BytesIO())
        configuration = json.load(opened.extractfile(manifest["Config"]) or io.BytesIO())
    assert manifest["RepoTags"] == ["podpatterns/x:1"]
    assert configuration["config"] == {"User": "65533:65533"}
    assert configuration["created"] == "1970-01-01T00:00:00Z"


def saved(path: Path, content: Mapping[str, bytes], *, time: int, created: str) -> Path:
    """An archive as an engine writes it: of an image with these files and `link`, a hard link to `a`."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as archive:
        for name, data in content.items():
            add(archive, name, data, time)
        link = tarfile.TarInfo("link")
        link.type, link.linkname, link.mtime = tarfile.LNKTYPE, "a", time
        archive.addfile(link)
    configuration = {
        "architecture": "amd64",
        "os": "linux",
        "created": created,
        "config": {"User": "65533:65533", "Hostname": "build", "Env": None},
        "container": created,
        "history": [{"created": created}],
    }
    manifest = [{"Config": "c.json", "RepoTags": None, "Layers": ["1/layer.tar"]}]
    with tarfile.open(path, "w") as archive:
        add(archive, "1/layer.tar", layer.getvalue(), time)
        add(archive, "c.json", json.dumps(configuration).encode(), time)
        add(archive, "manifest.json", json.dumps(manifest).encode(), time)
    return path


def add(archive: tarfile.TarFile, name: str, data: bytes, time: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime = len(data), time
    archive.addfile(entry, io.BytesIO(data))
