"""Environment variables that helpers give to the application's containers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from podpatterns.compose.podcontainer import PodContainer
from podpatterns.compose.podfragment import Variable


def env(variables: Sequence[Variable]) -> list[dict[str, Any]]:
    """Return the variables in the form of a container's env."""
    values = {v.name: v.value for v in variables}
    return [{"name": name, "value": value} for name, value in values.items()]


def with_variables(
    container: PodContainer, manifest: dict[str, Any], added: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the manifest of `container`, with the variables if it is one of the application's.

    Init containers get them too: they run once the helpers are up.

    They come first, so that variables of the container can refer to them: $(REDIS_HOST).
    """
    if not container.of_the_application or not added:
        return manifest
    return {**manifest, "env": [*added, *(manifest.get("env") or ())]}
