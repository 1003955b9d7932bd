"""The images in a registry."""

from __future__ import annotations

import os
from collections.abc import Sequence

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
    epoch = f"SOURCE_DATE_EPOCH={source_date_epoch()}"
    variables = [f"--build-arg={name}={os.environ[name]}" for name in VARIABLES if name in os.environ]
    for tag in PRODUCT:
        name = in_registry(registry, tag)
        with step(f"Build and push {name} for {platforms}"):
            run(
                *(
                    "docker",
                    "buildx",
                    "build",
                    f"--platform={platforms}",
                    f"--file={dockerfile(tag)}",
                    f"--tag={name}",
                ),
                *("--output=type=image,push=true,rewrite-timestamp=true", f"--build-arg={epoch}"),
                *variables,
                ".",
                directory=CHECKOUT,
            )
    return [in_registry(registry, tag) for tag in PRODUCT]


def in_registry(registry: str, tag: str) -> str:
    """Return what the image `tag` of ours is called in a registry, or in a part of it."""
    return f"{registry.rstrip('/')}/{tag.removeprefix('podpatterns/')}"
