"""In the quick loop, time passes faster for tests that wait; pauses and limits keep their proportions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest

from tests.unit.controller.hastytime import HastyLoop


def pytest_asyncio_loop_factories(
    config: pytest.Config,
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    quick = config.getoption("hypothesis_profile") == "quick"
    return {"hasty": HastyLoop} if quick else {"ordinary": asyncio.new_event_loop}
