"""Arrival of parts: by the status of an object, the parts that all of its Pods have as they were composed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from podpatterns.api.conditions import ConditionType
from podpatterns.compose.composition import PartVersion


def composed_parts(parts: Sequence[PartVersion], namespace: str) -> list[dict[str, Any]]:
    """Return the parts for the status of an object in the namespace."""
    return [
        {
            "kind": part.kind,
            "name": part.name,
            **({} if part.namespace == namespace else {"namespace": part.namespace}),
            "generation": part.generation,
        }
        for part in parts
    ]


def arrived(status: Mapping[str, Any], namespace: str) -> frozenset[PartVersion]:
    """Return the parts that have arrived in all Pods of an object in the namespace: the rollout of the
    revision that has them is complete, and no helper runs another configuration."""
    revision = status.get("updateRevision")
    if not revision or status.get("currentRevision") != revision or _configuring(status):
        return frozenset()
    return frozenset(parts_in(status, namespace))


def parts_in(status: Mapping[str, Any], namespace: str) -> Iterator[PartVersion]:
    """Yield the parts of the newest revision of an object in the namespace, as its status tells them."""
    for part in status.get("parts") or ():
        where = part.get("namespace") or namespace
        yield PartVersion(part["kind"], where, part["name"], part.get("generation") or 0)


def _configuring(status: Mapping[str, Any]) -> bool:
    return any(
        c["type"] == ConditionType.CONFIGURATION_CURRENT and c["status"] == "False"
        for c in status.get("conditions") or ()
    )
