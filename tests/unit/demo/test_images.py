"""Each demonstration has the images of what it applies, though a cluster of the tests has all anyway."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

import pytest

import demo.__main__
import demo.adapter
from testbed.monitoring import DIRECTORY
from testbed.website import EXAMPLES, GIT_SERVER, SITE


@pytest.mark.parametrize(
    ("images", "files"),
    [
        (demo.__main__.IMAGES, [GIT_SERVER, SITE, EXAMPLES / "privileged.yaml"]),
        (demo.adapter.IMAGES, list(DIRECTORY.glob("*.yaml"))),
    ],
)
def test_a_demonstration_has_its_images(images: Collection[str], files: Collection[Path]) -> None:
    manifests = "".join(file.read_text() for file in files)
    assert set(re.findall(r"image: (\S+)", manifests)) <= set(images)
    if "kind: Adapter" in manifests:
        assert any("metrics-adapter" in image for image in images)
