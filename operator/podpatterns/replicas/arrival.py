"""Arrival of parts: by the status of an object, the parts that all of its Pods have as they were composed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    if not _rolled_out(status):
        return frozenset()
    return frozenset(
        PartVersion(
            part["kind"], part.get("namespace") or namespace, part["name"], part.get("generation") or 0
        )
        for part in status.get("parts") or ()
    )


def has_arrived(status: Mapping[str, Any], namespace: str, part: PartVersion) -> bool:
    """Return whether it is one of these. A part's status asks this of thousands of objects."""
    composed = generation_of(status, namespace, part.kind, part.namespace, part.name)
    return composed == part.generation and _rolled_out(status)


def generation_of(
    status: Mapping[str, Any], namespace: str, kind: str, of_the_part: str, name: str
) -> int | None:
    """Return the generation of the part from which the newest revision of an object in the namespace was
    composed; None of a part that it doesn't have."""
    for part in status.get("parts") or ():
        found = part["name"] == name and part["kind"] == kind
        if found and (part.get("namespace") or namespace) == of_the_part:
            return int(part.get("generation") or 0)
    return None


def _rolled_out(status: Mapping[str, Any]) -> bool:
    revision = status.get("updateRevision")
    return bool(revision) and status.get("currentRevision") == revision and not _configuring(status)


def _configuring(status: Mapping[str, Any]) -> bool:
    return any(
        c["type"] == ConditionType.CONFIGURATION_CURRENT and c["status"] == "False"
        for c in status.get("conditions") or ()
    )
