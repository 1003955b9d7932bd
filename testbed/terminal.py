"""What takes long before the tests is seen while it happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import pytest


def uncaptured(config: pytest.Config) -> AbstractContextManager[None]:
    """What is printed inside is seen at once, not captured by pytest."""
    capture: Any = config.pluginmanager.getplugin("capturemanager")
    return cast("AbstractContextManager[None]", capture.global_and_fixture_disabled())
