"""pyproject.toml names every Python requirement; requirements/ holds what is locked for it."""

from __future__ import annotations

import tomllib
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())


def locked(name: str) -> set[str]:
    """The packages with their versions that a lock file pins."""
    lines = (CHECKOUT / "requirements" / f"{name}.txt").read_text().splitlines()
    return {line.removesuffix(" \\") for line in lines if line[:1].isalnum()}


def test_the_lock_is_of_what_pyproject_names() -> None:
    assert set(map(normalized, PYPROJECT["project"]["dependencies"])) <= locked("operator")
    assert set(map(normalized, PYPROJECT["dependency-groups"]["dev"])) <= locked("dev")
    assert set(map(normalized, PYPROJECT["build-system"]["requires"])) <= locked("build")


def test_what_the_check_command_needs_is_among_the_development_packages() -> None:
    assert set(PYPROJECT["project"]["optional-dependencies"]["check"]) <= set(
        PYPROJECT["dependency-groups"]["dev"]
    )


def normalized(requirement: str) -> str:
    return requirement.lower()
