from __future__ import annotations

import pytest

from release.registry import buildx, in_registry
from testbed.cluster.images import CHECKOUT, GIT_SYNC


@pytest.mark.parametrize("registry", ["registry.example.com/team", "registry.example.com/team/"])
def test_an_image_keeps_its_name_and_tag(registry: str) -> None:
    assert in_registry(registry, "podpatterns/git-sync:0.1.0") == "registry.example.com/team/git-sync:0.1.0"


def test_buildx_is_given_the_repository_and_the_dockerfile_in_it() -> None:
    command = buildx("registry.example.com/team", GIT_SYNC, "linux/amd64,linux/arm64", {"GOPROXY": "off"})

    assert command[:3] == ["docker", "buildx", "build"]
    assert command[-1] == "."
    options = dict(option.removeprefix("--").split("=", 1) for option in command[3:-1])
    assert options["platform"] == "linux/amd64,linux/arm64"
    assert (CHECKOUT / options["file"]).is_file()
    assert options["tag"] == in_registry("registry.example.com/team", GIT_SYNC)
    assert "--build-arg=GOPROXY=off" in command
