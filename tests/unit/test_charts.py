"""The files that the charts hold of others: copies, as Helm warns of links with every command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
CHARTS = REPOSITORY / "charts"
DEFINED = re.compile(r'define "([^"]+)"')


def test_a_chart_holds_no_links() -> None:
    assert not [path for path in CHARTS.rglob("*") if path.is_symlink()]


@pytest.mark.parametrize("name", ["crds", "policies"])
def test_generated_files_are_those_of_the_repository(name: str) -> None:
    copies = list(CHARTS.glob(f"*/files/{name}"))
    assert copies
    for copy in copies:
        assert texts(copy) == texts(REPOSITORY / name)


def test_both_charts_have_the_same_kinds() -> None:
    name = "templates/_kinds.tpl"
    assert (CHARTS / "podpatterns" / name).read_text() == (CHARTS / "podpatterns-crds" / name).read_text()


def test_the_charts_share_no_names_of_templates_but_those_of_copies() -> None:
    """An umbrella chart with both has one template of each name, for instance one for labels."""
    main, kinds = (
        {name for path in (CHARTS / chart).rglob("*.tpl") for name in DEFINED.findall(path.read_text())}
        for chart in ("podpatterns", "podpatterns-crds")
    )
    assert main & kinds == {"podpatterns.kinds"}


def texts(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): path.read_text() for path in directory.rglob("*") if path.is_file()
    }
