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


def build_images() -> list[str]:
    """Builds what the engine doesn't have yet, or has from other sources, and gives the tags of all."""
    images = _images()
    # While one waits for Debian's mirror, another has the processor.
    with ThreadPoolExecutor(max_workers=2) as builders:
        # Each in this thread's context, which has the step that it is part of.
        for done in [builders.submit(copy_context().run, image.build) for image in images]:
            done.result()
    return [image.tag for image in images]


def _images() -> list[Image]:
    bases = {"DEBIAN": debian()}
    operator = {
        "Dockerfile": CHECKOUT / "operator" / "Dockerfile",
        "requirements.txt": REQUIREMENTS,
        "requirements": requirements_wheels(),
        "podpatterns": operator_wheel(),
    }
    return [
        Image(OPERATOR, operator, bases),
        Image(GIT_SYNC, _helper("git-sync")),
        Image(REDIS_AMBASSADOR, _helper("redis-ambassador")),
        Image(METRICS_ADAPTER, _helper("metrics-adapter")),
        Image(HAPROXY_AMBASSADOR, _helper("haproxy-ambassador"), bases),
        Image(NGINX, _directory("examples/images/nginx"), bases),
        Image(REDIS, _directory("examples/images/redis"), bases),
        Image(POSTGRES, _directory("examples/images/postgres"), bases),
        Image(MEMCACHED, _directory("examples/images/memcached"), bases),
        Image(LEGACY, _directory("examples/images/legacy"), bases),
        Image(REDIS_EXPORTER, _directory("examples/images/redis-exporter"), bases),
        Image(PROMETHEUS, _directory("examples/images/prometheus"), bases),
        Image(GIT_SERVER, _directory("examples/images/git-server"), bases),
        Image(BOX, _directory("testbed/images/box"), bases),
    ]


def _helper(name: str) -> dict[str, Path]:
    package = HELPERS / name
    return {"Dockerfile": package / "Dockerfile", name: own_program(package)}


def _directory(name: str) -> dict[str, Path]:
    return {path.name: path for path in (CHECKOUT / name).iterdir()}
