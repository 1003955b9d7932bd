"""Image archives, as `docker save` writes and `docker load` reads them.

An engine writes the time of a build into an image, and lays its files down in the order of the disk: two
builds of the same content are two images. `normalize` makes them one, and leaves the content alone.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

# Of an image's configuration: what a container is started with. The rest tells how the engine built it.
CONFIGURATION = (
    "Cmd",
    "Entrypoint",
    "Env",
    "ExposedPorts",
    "Labels",
    "StopSignal",
    "User",
    "Volumes",
    "WorkingDir",
)


def source_date_epoch() -> int:
    """Return the time of all files of an image: SOURCE_DATE_EPOCH, or the beginning of 1970."""
    return int(os.environ.get("SOURCE_DATE_EPOCH", "0"))


def normalize(saved: Path, normal: Path, tag: str) -> None:
    """Write the archive of one image anew as `tag`: its id depends on its content and configuration alone."""
    epoch = source_date_epoch()
    with tarfile.open(saved) as source, tarfile.open(normal, "w") as target:
        names, made = _manifest(source)
        diff_ids = []
        for name in names:
            with _layer(source, name) as layer, tempfile.TemporaryFile() as content:
                normalize_tar(layer, content, epoch)
                diff_ids.append(_add(target, content, "layer.tar"))
        configuration = {
            "architecture": made["architecture"],
            "os": made["os"],
            "created": datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "config": {name: made["config"][name] for name in CONFIGURATION if made["config"].get(name)},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in diff_ids]},
        }
        config = _add(target, _json(configuration), "config.json")
        layers = [f"{digest}/layer.tar" for digest in diff_ids]
        entry = {"Config": f"{config}/config.json", "RepoTags": [tag], "Layers": layers}
        _write(target, _json([entry]), "manifest.json")


def normalize_tar(
    source: tarfile.TarFile, target: IO[bytes], epoch: int, first: Callable[[str], bool] = lambda _: False
) -> None:
    """Write what a tar holds anew: sorted, but for what is to be `first`, and all of the time `epoch`."""
    # A hard link follows what it links to.
    entries = sorted(
        source.getmembers(), key=lambda entry: (not first(entry.name), entry.islnk(), entry.name)
    )
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for entry in entries:
            entry.mtime = epoch
            entry.uname = entry.gname = ""
            entry.pax_headers = {}
            archive.addfile(entry, source.extractfile(entry) if entry.isfile() else None)


@contextmanager
def files(saved: Path) -> Iterator[Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]]:
    """Give the entries of an image's layers, bottom first, with their content, in an archive of one image."""
    with tarfile.open(saved) as source:
        yield _entries(source)


def _entries(source: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]:
    for name in _manifest(source)[0]:
        with _layer(source, name) as layer:
            for entry in layer:
                yield entry, layer.extractfile(entry) if entry.isfile() else None


def _manifest(archive: tarfile.TarFile) -> tuple[list[str], dict[str, Any]]:
    """Return the names of an image's layers, bottom first, and its configuration."""
    [entry] = json.load(_open(archive, "manifest.json"))
    return entry["Layers"], json.load(_open(archive, entry["Config"]))


@contextmanager
def _layer(archive: tarfile.TarFile, name: str) -> Iterator[tarfile.TarFile]:
    with _open(archive, name) as content, tarfile.open(fileobj=content) as layer:
        yield layer


def _add(archive: tarfile.TarFile, content: IO[bytes], name: str) -> str:
    """Add a file below the SHA-256 of its content, which is returned."""
    content.seek(0)
    sha256 = hashlib.sha256()
    while block := content.read(1 << 20):
        sha256.update(block)
    digest = sha256.hexdigest()
    _write(archive, content, f"{digest}/{name}")
    return digest


def _write(archive: tarfile.TarFile, content: IO[bytes], name: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = content.seek(0, os.SEEK_END)
    content.seek(0)
    archive.addfile(entry, content)


def _json(value: object) -> IO[bytes]:
    return io.BytesIO(json.dumps(value, sort_keys=True).encode())


def _open(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    content = archive.extractfile(name)
    assert content is not None
    return content
