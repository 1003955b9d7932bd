"""Random scenarios under faults, as `make chaos` runs them by the thousand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chaos.report import tell
from chaos.workers import workers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    from chaos.scenario import Result

SEEDS = range(1, 51)
AT_ONCE = 2
"""Scenarios, each with a control plane of its own: other tests run beside them."""


@pytest.fixture(scope="module")
def chaos(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[int, Future[Result]]]:
    """All scenarios of this run, under way."""
    items = [item for item in request.session.items if item.nodeid.startswith(request.node.nodeid)]
    with workers(tmp_path_factory.mktemp("chaos"), AT_ONCE) as run:
        yield {seed: run(seed) for item in items for seed in [item.callspec.params["seed"]]}  # type: ignore[attr-defined]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_scenario(chaos: dict[int, Future[Result]], seed: int) -> None:
    result = chaos[seed].result()
    assert result.clean, tell(result)
