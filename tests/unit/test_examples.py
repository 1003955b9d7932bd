"""The examples, as files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

CHECKOUT = Path(__file__).parents[2]
FILES = sorted((CHECKOUT / "examples").rglob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_example_fits_any_namespace(file: Path) -> None:
    assert not [key for key, _ in fields(list(yaml.safe_load_all(file.read_text()))) if key == "namespace"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_shell_that_waits_ends_when_it_is_told_to(file: Path) -> None:
    commands = [
        value for key, value in fields(list(yaml.safe_load_all(file.read_text()))) if key == "command"
    ]
    scripts = [command[-1] for command in commands if command[:2] == ["sh", "-c"]]
    assert all("trap exit TERM" in script for script in scripts if "sleep" in script)


def test_the_readme_shows_the_example() -> None:
    example = (CHECKOUT / "examples/sidecarapp.yaml").read_text()
    readme = (CHECKOUT / "README.md").read_text()
    shown = readme[readme.index("apiVersion:") :].partition("```")[0]
    assert yaml.safe_load(shown) == yaml.safe_load(example)


def fields(value: Any) -> Iterator[tuple[str, Any]]:
    """Give every field of a manifest, with its value."""
    if isinstance(value, dict):
        yield from value.items()
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from fields(item)
