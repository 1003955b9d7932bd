"""The project's own images."""

from __future__ import annotations

import tomllib
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path

from testbed.cluster.debian import debian
from testbed.cluster.image import Image
from testbed.cluster.own_programs import HELPERS, own_program
from testbed.cluster.wheels import REQUIREMENTS, operator_wheel, requirements_wheels

CHECKOUT = Path(__file__).parents[2]
VERSION = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["version"]

OPERATOR = f"podpatterns/operator:{VERSION}"
GIT_SYNC = f"podpatterns/git-sync:{VERSION}"
REDIS_AMBASSADOR = f"podpatterns/redis-ambassador:{VERSION}"
METRICS_ADAPTER = f"podpatterns/metrics-adapter:{VERSION}"
HAPROXY_AMBASSADOR = f"podpatterns/haproxy-ambassador:{VERSION}"
POSTGRES_AMBASSADOR = f"podpatterns/postgres-ambassador:{VERSION}"
NGINX = f"podpatterns/nginx:{VERSION}"
REDIS = f"podpatterns/redis:{VERSION}"
POSTGRES = f"podpatterns/postgres:{VERSION}"
MEMCACHED = f"podpatterns/memcached:{VERSION}"
LEGACY = f"podpatterns/legacy:{VERSION}"
REDIS_EXPORTER = f"podpatterns/redis-exporter:{VERSION}"
PROMETHEUS = f"podpatterns/prometheus:{VERSION}"
GIT_SERVER = f"podpatterns/git-server:{VERSION}"
# A shell with the usual commands, for containers of tests.
BOX = f"podpatterns/box:{VERSION}"
BOX_DIRECTORY = "testbed/images/box"

HELPER_IMAGES = (GIT_SYNC, REDIS_AMBASSADOR, METRICS_ADAPTER, HAPROXY_AMBASSADOR, POSTGRES_AMBASSADOR)
ON_DEBIAN = (GIT_SYNC, HAPROXY_AMBASSADOR, POSTGRES_AMBASSADOR)
"""The helpers that run a program of Debian's; the others are one static program each."""
EXAMPLES = (NGINX, REDIS, POSTGRES, MEMCACHED, LEGACY, REDIS_EXPORTER, PROMETHEUS, GIT_SERVER)
ALL = (OPERATOR, *HELPER_IMAGES, *EXAMPLES, BOX)


def build_images(*tags: str) -> list[str]:
    """Build what the engine doesn't have yet, or has from other sources, by default all; return the tags."""
    bases = {"DEBIAN": debian()}
    images = [_image(tag, bases) for tag in tags or ALL]
    # While one waits for Debian's mirror, another has the processor.
    with ThreadPoolExecutor(max_workers=2) as builders:
        # Each in this thread's context, which has the step that it is part of.
        for done in [builders.submit(copy_context().run, image.build) for image in images]:
            done.result()
    return [image.tag for image in images]


def _image(tag: str, bases: dict[str, str]) -> Image:
    name = tag.removeprefix("podpatterns/").partition(":")[0]
    if tag == OPERATOR:
        return Image(tag, _operator(), bases)
    if tag in HELPER_IMAGES:
        return Image(tag, _helper(name), bases if tag in ON_DEBIAN else {})
    return Image(tag, _directory(BOX_DIRECTORY if tag == BOX else f"examples/images/{name}"), bases)


def _operator() -> dict[str, Path]:
    return {
        "Dockerfile": CHECKOUT / "operator" / "Dockerfile",
        "requirements.txt": REQUIREMENTS,
        "requirements": requirements_wheels(),
        "podpatterns": operator_wheel(),
    }


def _helper(name: str) -> dict[str, Path]:
    package = HELPERS / name
    return {"Dockerfile": package / "Dockerfile", name: own_program(package)}


def _directory(name: str) -> dict[str, Path]:
    return {path.name: path for path in (CHECKOUT / name).iterdir()}
