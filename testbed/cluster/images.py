"""The project's own images."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path

from testbed.cluster.debian import BOOKWORM, TRIXIE, debian
from testbed.cluster.golang import golang
from testbed.cluster.image import Image

CHECKOUT = Path(__file__).parents[2]
VERSION = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["version"]

OPERATOR = f"podpatterns/operator:{VERSION}"
GIT_SYNC = f"podpatterns/git-sync:{VERSION}"
REDIS_AMBASSADOR = f"podpatterns/redis-ambassador:{VERSION}"
METRICS_ADAPTER = f"podpatterns/metrics-adapter:{VERSION}"
HAPROXY_AMBASSADOR = f"podpatterns/haproxy-ambassador:{VERSION}"
POSTGRES_AMBASSADOR = f"podpatterns/postgres-ambassador:{VERSION}"
NGINX = f"podpatterns/nginx:{VERSION}"
APACHE = f"podpatterns/apache:{VERSION}"
REDIS = f"podpatterns/redis:{VERSION}"
POSTGRES = f"podpatterns/postgres:{VERSION}"
MEMCACHED = f"podpatterns/memcached:{VERSION}"
LEGACY = f"podpatterns/legacy:{VERSION}"
REDIS_EXPORTER = f"podpatterns/redis-exporter:{VERSION}"
PROMETHEUS = f"podpatterns/prometheus:{VERSION}"
GIT_SERVER = f"podpatterns/git-server:{VERSION}"
# A shell with the usual commands, for containers of tests, and a registry that wants a password.
BOX = f"podpatterns/box:{VERSION}"
REGISTRY = f"podpatterns/registry:{VERSION}"
FOR_TESTS = (BOX, REGISTRY)

HELPER_IMAGES = (GIT_SYNC, REDIS_AMBASSADOR, METRICS_ADAPTER, HAPROXY_AMBASSADOR, POSTGRES_AMBASSADOR)
ON_DEBIAN = (GIT_SYNC, HAPROXY_AMBASSADOR, POSTGRES_AMBASSADOR)
"""The helpers that run a program of Debian's; the others are one static program each."""
PRODUCT = (OPERATOR, *HELPER_IMAGES)
"""What a cluster needs: `make images` builds these, and `make push` pushes them."""
EXAMPLES = (NGINX, APACHE, REDIS, POSTGRES, MEMCACHED, LEGACY, REDIS_EXPORTER, PROMETHEUS, GIT_SERVER)
ALL = (*PRODUCT, *EXAMPLES, *FOR_TESTS)

# The files that the operator's image is made from, and those of every helper's beside its own.
OPERATOR_FILES = (
    "images/unpack",
    "operator/Dockerfile",
    "operator/podpatterns",
    "requirements/build.txt",
    "requirements/operator.txt",
    "pyproject.toml",
    "README.md",
    "LICENSE",
)
HELPER_FILES = ("images/compile", "helpers/go.mod", "helpers/go.sum", "helpers/internal")


def build_images(*tags: str) -> list[str]:
    """Build what the engine doesn't have yet, or has from other sources, by default all; return the tags."""
    images = [image(tag) for tag in tags or ALL]
    # While one waits for Debian's mirror, another has the processor.
    with ThreadPoolExecutor(max_workers=2) as builders:
        # Each in this thread's context, which has the step that it is part of.
        for done in [builders.submit(copy_context().run, image.build) for image in images]:
            done.result()
    return [image.tag for image in images]


def image(tag: str) -> Image:
    """Return how the image `tag` is made, and make what it stands on if the engine lacks that."""
    if tag == OPERATOR:
        bases = {"DEBIAN": debian(TRIXIE)}
        return Image(tag, _files(OPERATOR_FILES), bases, dockerfile(tag), reproducible=True)
    if tag in HELPER_IMAGES:
        package = f"helpers/cmd/{_name(tag)}"
        bases = {"GO": golang()} | ({"DEBIAN": debian(BOOKWORM)} if tag in ON_DEBIAN else {})
        names = (*HELPER_FILES, *(["images/unpack"] if tag in ON_DEBIAN else []), package)
        return Image(tag, _files(names), bases, dockerfile(tag), reproducible=True)
    directory = CHECKOUT / ("testbed" if tag in FOR_TESTS else "examples") / "images" / _name(tag)
    context = {path.name: path for path in directory.iterdir()}
    return Image(tag, context, {"DEBIAN": debian(BOOKWORM)})


def dockerfile(tag: str) -> str:
    """Return where the Dockerfile of the operator or of a helper lies in the repository, its context."""
    return "operator/Dockerfile" if tag == OPERATOR else f"helpers/cmd/{_name(tag)}/Dockerfile"


def _name(tag: str) -> str:
    return tag.removeprefix("podpatterns/").partition(":")[0]


def _files(names: Iterable[str]) -> dict[str, Path]:
    """Return the part of the repository that an image is made from; in a build by hand it is the whole."""
    return {name: CHECKOUT / name for name in names}
