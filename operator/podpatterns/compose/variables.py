"""Environment variables that helpers give to the application's containers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from podpatterns.compose.contribution import Variable
from podpatterns.compose.member import Member


def env(variables: Sequence[Variable]) -> list[dict[str, Any]]:
    """The variables as a container has them."""
    values = {v.name: v.value for v in variables}
    return [{"name": name, "value": value} for name, value in values.items()]


def with_variables(
    member: Member, container: dict[str, Any], added: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """`container`, `member`'s, with the variables if it is one of the application's. Init containers are
    included: they run once the helpers are up.

    They come first, so that variables of the container can refer to them: $(REDIS_HOST).
    """
    if not member.of_the_application or not added:
        return container
    return {**container, "env": [*added, *(container.get("env") or ())]}
