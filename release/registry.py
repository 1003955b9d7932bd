"""The images in a registry."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from testbed.cluster.command import CommandFailed, run
from testbed.cluster.image import VARIABLES
from testbed.cluster.image_archive import source_date_epoch
from testbed.cluster.images import CHECKOUT, PRODUCT, dockerfile
from testbed.cluster.progress import step


def push(registry: str, tags: Sequence[str]) -> list[str]:
    """Push images of the engine, and return what they are called there."""
    names = [in_registry(registry, tag) for tag in tags]
    for tag, name in zip(tags, names, strict=True):
        with step(f"Push {name}"):
            run("docker", "tag", tag, name)
            run("docker", "push", "--quiet", name)
    return names


def push_platforms(registry: str, platforms: str) -> list[str]:
    """Build the images for several platforms by Buildx, and push them.

    Raises:
        RuntimeError: the Docker client has no Buildx.
    """
    try:
        run("docker", "buildx", "version")
    except CommandFailed as error:
        raise RuntimeError(
            "images for several platforms are built by Buildx, which this Docker client lacks: install the "
            "plug-in, or leave PLATFORMS out to push this engine's platform"
        ) from error
    variables = {name: os.environ[name] for name in VARIABLES if name in os.environ}
    for tag in PRODUCT:
        with step(f"Build and push {in_registry(registry, tag)} for {platforms}"):
            run(*buildx(registry, tag, platforms, variables), directory=CHECKOUT)
    return [in_registry(registry, tag) for tag in PRODUCT]


def buildx(registry: str, tag: str, platforms: str, variables: Mapping[str, str]) -> list[str]:
    """Return the command that builds an image for several platforms and pushes it: the same one each time."""
    arguments = {"SOURCE_DATE_EPOCH": str(source_date_epoch()), **variables}
    return [
        *("docker", "buildx", "build", f"--platform={platforms}"),
        *(f"--file={dockerfile(tag)}", f"--tag={in_registry(registry, tag)}"),
        "--output=type=image,push=true,rewrite-timestamp=true",
        *(f"--build-arg={name}={value}" for name, value in arguments.items()),
        ".",
    ]


def in_registry(registry: str, tag: str) -> str:
    """Return what the image `tag` of ours is called in a registry, or in a part of it."""
    return f"{registry.rstrip('/')}/{tag.removeprefix('podpatterns/')}"
