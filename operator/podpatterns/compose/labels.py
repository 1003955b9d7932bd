"""The labels that the operator writes on every Pod it makes."""

from __future__ import annotations

from podpatterns.api import GROUP

KIND = f"{GROUP}/kind"
NAME = f"{GROUP}/name"
REVISION = f"{GROUP}/revision"
POD_INDEX = f"{GROUP}/pod-index"


def selector(kind: str, name: str) -> dict[str, str]:
    """What all Pods of one object carry, and no other Pod should."""
    return {KIND: kind, NAME: name}
