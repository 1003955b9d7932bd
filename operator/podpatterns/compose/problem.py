"""What keeps an object from becoming a Pod, told so that its author can mend it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    path: str
    """The field, as `kubectl explain` names it: spec.sharedVolumes[0].mounts[1].container."""
    message: str
    """What is wrong and what to do."""
    reason: str = "InvalidSpec"
    """The condition's reason: InvalidSpec, PartNotFound, PortsConflict or ContractUnsatisfiable."""

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class CannotCompose(Exception):
    """The object passed the schema and still makes no Pod."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))


def one_of(names: Sequence[str]) -> str:
    """The end of a sentence that tells which names there are."""
    return f"the Pod has {', '.join(sorted(set(names)))}" if names else "the Pod has none"
