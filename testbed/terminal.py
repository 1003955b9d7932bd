"""Output past pytest's capturing, for preparations that take long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import pytest


def uncaptured(config: pytest.Config) -> AbstractContextManager[None]:
    """Show at once what is printed inside."""
    capture: Any = config.pluginmanager.getplugin("capturemanager")
    return cast("AbstractContextManager[None]", capture.global_and_fixture_disabled())
