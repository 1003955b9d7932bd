"""Random scenarios under faults, as `make chaos` runs them by the thousand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2e.chaos.arena import Arena, arena
from e2e.chaos.report import tell
from e2e.chaos.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator

SEEDS = range(1, 21)


@pytest.fixture(scope="module")
def chaos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """A control plane of its own: scenarios restart it, and the operator behind the proxy is to be alone."""
    with arena(tmp_path_factory.mktemp("chaos")) as found:
        yield found


@pytest.mark.parametrize("seed", SEEDS)
def test_a_scenario(chaos: Arena, seed: int) -> None:
    result = Scenario(chaos, seed).run()
    if not result.clean:
        chaos.start_afresh()
    assert result.clean, tell(result)
