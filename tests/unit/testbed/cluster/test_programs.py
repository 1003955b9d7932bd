from __future__ import annotations

import re

import pytest

from testbed.cluster.programs import MODULES, GoModule, version

FOREIGN = [module for module in MODULES if not (module.path / "main.go").exists()]


@pytest.mark.parametrize("module", FOREIGN, ids=lambda module: module.directory)
def test_go_keeps_what_the_programs_require(module: GoModule) -> None:
    """`go mod tidy` drops what neither a main.go imports nor a `tool` directive names."""
    [tools] = re.findall(r"^tool (\([^)]*\)|\S+)$", (module.path / "go.mod").read_text(), re.MULTILINE)
    assert sorted(tools.strip("()").split()) == sorted(module.packages.values())


def test_versions_come_from_go_mod() -> None:
    assert version("kubectl") == version("kube-apiserver") == "v1.37.2"
    assert version("kind") == "v0.33.0"


def test_an_unknown_program_is_an_error() -> None:
    with pytest.raises(LookupError, match="kubeclt"):
        version("kubeclt")
