from __future__ import annotations

import pytest

from release.registry import in_registry


@pytest.mark.parametrize("registry", ["registry.example.com/team", "registry.example.com/team/"])
def test_an_image_keeps_its_name_and_tag(registry: str) -> None:
    assert in_registry(registry, "podpatterns/git-sync:0.1.0") == "registry.example.com/team/git-sync:0.1.0"
