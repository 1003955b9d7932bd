"""Images in the Docker engine, built only when what they are made from has changed."""

from __future__ import annotations

import os
import selectors
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from testbed.cluster.cache import digest, name_in_cache
from testbed.cluster.command import CommandFailed, feed, run
from testbed.cluster.image_archive import normalize
from testbed.cluster.progress import step

# The label that holds the digest of what an image was built from.
DIGEST = "dev.podpatterns.digest"

# A registry that can be reached names the image it's about to send within this time; the rest may last.
REGISTRY_SECONDS = 20

# Variables that every Dockerfile knows without an ARG and that leave no trace in the image, ...
PROXY_VARIABLES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
# ... and those that ours declare where something is fetched.
VARIABLES = (*PROXY_VARIABLES, "GOPROXY", "PIP_INDEX_URL")


@dataclass(frozen=True)
class Image:
    """An image and what it is built from.

    `context` says which file or directory of this machine lies under which name when `dockerfile`, one of
    these names, is run. `bases` are the images that the Dockerfile is given as arguments. A `reproducible`
    image has the same id wherever and whenever it is built from the same content.
    """

    tag: str
    context: Mapping[str, Path]
    bases: Mapping[str, str] = field(default_factory=dict)
    dockerfile: str = "Dockerfile"
    reproducible: bool = False

    def build(self) -> None:
        """Builds the image, unless the engine has one made from the same content."""
        content = self._digest()
        if label(self.tag, DIGEST) == content:
            return
        with step(f"Build the image {self.tag}"):
            self._build(content)
        # What was replaced, and the stages on the way, serve the next builds as a cache, but not for ever.
        run("docker", "image", "prune", "--force", f"--filter=label={DIGEST}", "--filter=until=24h")

    def build_anew(self) -> None:
        """Builds the image without anything that is left of earlier builds."""
        self._build(self._digest(), "--no-cache")

    def _build(self, content: str, *options: str) -> None:
        variables = {name: os.environ[name] for name in VARIABLES if name in os.environ}
        with tempfile.TemporaryDirectory() as directory:
            built = Path(directory, "id")
            command = [
                "docker",
                "build",
                # What is fetched is reached from the host's network; the engine may have none of its own.
                "--network=host",
                f"--iidfile={built}",
                f"--file={self.dockerfile}",
                f"--label={DIGEST}={content}",
                *([] if self.reproducible else [f"--tag={self.tag}"]),
                *(f"--build-arg={name}={value}" for name, value in {**self.bases, **variables}.items()),
                *options,
                "-",
            ]
            # BuildKit would be a plug-in of the client, and it refuses the host's network.
            feed(command, lambda stream: write_tar(stream, self.context), {"DOCKER_BUILDKIT": "0"})
            if self.reproducible:
                saved, normal = Path(directory, "saved.tar"), Path(directory, "normal.tar")
                run("docker", "save", f"--output={saved}", built.read_text())
                normalize(saved, normal, self.tag)
                run("docker", "load", f"--input={normal}")

    def _digest(self) -> str:
        parts: list[Path | str] = []
        for name, path in sorted(self.context.items()):
            parts += [name, name_in_cache(path) or path]
        for name, tag in sorted(self.bases.items()):
            parts += [name, image_id(tag)]
        return digest(*parts)


def image_id(tag: str) -> str:
    """The id of an image that the engine has, empty when it has none of that name."""
    return _inspect(tag, "{{.Id}}")


def label(tag: str, name: str) -> str:
    """A label of an image, empty when there is no such label or image."""
    return _inspect(tag, f'{{{{index .Config.Labels "{name}"}}}}')


def pull(tag: str) -> bool:
    """Fetches an image from its registry; False, and soon, where that can't be reached or hasn't got it."""
    command = ["docker", "pull", tag]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            if not selector.select(REGISTRY_SECONDS):
                process.kill()
        process.communicate()
    return process.returncode == 0


def write_tar(stream: IO[bytes], content: Mapping[str, Path]) -> None:
    """Writes files and directories under the names they get, as what root would have made with umask 022."""
    with tarfile.open(fileobj=stream, mode="w|") as archive:
        for name, path in content.items():
            archive.add(path, name, filter=_of_root)


def _of_root(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if entry.name.endswith("__pycache__"):
        return None
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = 0
    entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
    return entry


def _inspect(tag: str, form: str) -> str:
    try:
        return run("docker", "image", "inspect", "--format", form, tag)
    except CommandFailed:
        return ""
