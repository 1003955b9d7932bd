"""The builds of our images: the builder and a build by hand, with the repository as context, are the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from testbed.cluster import golang
from testbed.cluster.images import (
    CHECKOUT,
    HELPER_FILES,
    HELPER_IMAGES,
    OPERATOR,
    OPERATOR_FILES,
    PRODUCT,
    dockerfile,
)
from testbed.cluster.own_programs import FLAGS


@pytest.mark.parametrize("tag", PRODUCT)
def test_a_dockerfile_copies_what_the_builder_gives_it(tag: str) -> None:
    text = (CHECKOUT / dockerfile(tag)).read_text()
    copied = [line.split()[1:-1] for line in text.splitlines() if re.match(r"COPY (?!--from)", line)]
    names = {name.rstrip("/") for names in copied for name in names}

    assert all((CHECKOUT / name).exists() for name in names)
    if tag == OPERATOR:
        assert names | {"operator/Dockerfile"} == set(OPERATOR_FILES)
    else:
        assert names - {"images/unpack"} == {"images/compile", "helpers"}
        assert all(Path(name).is_relative_to("helpers") for name in HELPER_FILES if name != "images/compile")


@pytest.mark.parametrize("tag", HELPER_IMAGES)
def test_every_program_below_cmd_has_its_image(tag: str) -> None:
    assert (CHECKOUT / dockerfile(tag)).parent in (CHECKOUT / "helpers" / "cmd").iterdir()
    assert len(HELPER_IMAGES) == len(list((CHECKOUT / "helpers" / "cmd").iterdir()))


def test_a_program_of_an_image_is_compiled_as_that_of_the_tests() -> None:
    command = (CHECKOUT / "images" / "compile").read_text()
    assert all(flag in command for flag in FLAGS)


def test_dockerfiles_and_the_builder_name_one_version_of_go() -> None:
    assert golang.BUILT.rpartition(":")[2] == golang.PUBLISHED.rpartition(":")[2].removesuffix("-trixie")
    assert f"\ngo {golang.BUILT.rpartition(':')[2]}." in (CHECKOUT / "helpers" / "go.mod").read_text()
    for tag in HELPER_IMAGES:
        assert f"\nARG GO={golang.PUBLISHED}\n" in (CHECKOUT / dockerfile(tag)).read_text()
