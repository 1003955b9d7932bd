"""What `podpatterns run` refuses to be told."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from podpatterns.cli import main


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--watch-namespaces=shop"], "--watch-namespaces needs --leader-election-namespace"),
        (
            ["--watch-namespaces=shop,Blog", "--leader-election-namespace=shop"],
            '"Blog" is no name of a namespace',
        ),
        (["--watch-namespaces=", "--leader-election-namespace=shop"], '"" is no name of a namespace'),
    ],
)
def test_namespaces_need_names_and_a_lease(arguments: list[str], told: str) -> None:
    result = CliRunner().invoke(main, ["run", *arguments])
    assert result.exit_code == 2
    assert told in " ".join(result.output.split())
