"""The images that users run: what is in them, and that they are the same whenever they are built."""

from __future__ import annotations

import tarfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from testbed.cluster.command import run
from testbed.cluster.image import image_id
from testbed.cluster.image_archive import files
from testbed.cluster.images import GIT_SYNC, OPERATOR, PRODUCT, REDIS_AMBASSADOR, image

if TYPE_CHECKING:
    from testbed.cluster.kind import Cluster

PACKAGE_MANAGERS = {"apt", "apt-get", "dpkg", "pip", "pip3"}
SHELLS = {"bash", "busybox", "dash", "sh"}
# git runs ssh, git-lfs and credential helpers by a shell, and hooks are scripts.
NEED_A_SHELL = {GIT_SYNC}
MIB = 1 << 20


@pytest.mark.parametrize("tag", PRODUCT)
def test_an_image_holds_no_shell_no_package_manager_and_nothing_set_id(
    cluster: Cluster, tag: str, tmp_path: Path
) -> None:
    entries = held(tag, tmp_path)

    programs = {Path(entry.name).name for entry in entries if not entry.isdir() and entry.mode & 0o111}
    assert programs & SHELLS == ({"dash", "sh"} if tag in NEED_A_SHELL else set())
    assert not programs & PACKAGE_MANAGERS
    assert not [entry.name for entry in entries if entry.isfile() and entry.mode & 0o6000]
    user = run("docker", "image", "inspect", "--format={{.Config.User}}", tag)
    assert user == ("65532:65532" if tag == OPERATOR else "65533:65533")


def test_the_operators_image_is_small(cluster: Cluster) -> None:
    assert int(run("docker", "image", "inspect", "--format={{.Size}}", OPERATOR)) < 150 * MIB


def test_an_image_built_again_from_nothing_is_the_same(cluster: Cluster) -> None:
    again = replace(image(REDIS_AMBASSADOR), tag=f"{REDIS_AMBASSADOR}-again")

    again.build_anew()

    assert image_id(again.tag) == image_id(REDIS_AMBASSADOR)
    run("docker", "image", "rm", again.tag)


def held(tag: str, directory: Path) -> list[tarfile.TarInfo]:
    archive = directory / "image.tar"
    run("docker", "save", f"--output={archive}", tag)
    with files(archive) as entries:
        return [entry for entry, _ in entries]
