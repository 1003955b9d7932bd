"""How Pods of an old revision become Pods of the new one."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from podpatterns.api.model import Model, Validation
from podpatterns.api.scalar import CountOrPercentage


class UpdateStrategy(Model):
    """How a change of the template, of a helper or of an included part reaches the Pods that run."""

    validations: ClassVar[tuple[Validation, ...]] = (
        Validation(
            "self.maxUnavailable != 0 && self.maxUnavailable != '0%'"
            " || self.maxSurge != 0 && self.maxSurge != '0%'",
            "may not be 0 while maxSurge is 0 too: no Pod could ever be updated",
            ".maxUnavailable",
        ),
    )

    type: Literal["InPlaceIfPossible", "Recreate", "OnDelete"] = "InPlaceIfPossible"
    """InPlaceIfPossible: where only images changed, the containers concerned restart inside their Pods and
    the other containers keep running; any other change replaces Pods. Recreate: every change replaces Pods.
    OnDelete: Pods get the new revision when somebody deletes them. Default: InPlaceIfPossible."""
    max_unavailable: CountOrPercentage = "25%"
    """How many Pods may be unavailable during an update, as a number or as a percentage of replicas, rounded
    down. When both this and maxSurge come out as 0, it counts as 1. Default: 25%."""
    max_surge: CountOrPercentage = 0
    """How many Pods may exist beyond replicas during an update, as a number or as a percentage of replicas,
    rounded up. Needs podNaming Generated: a stable name can't be held by two Pods. Default: 0."""
    partition: int = Field(default=0, ge=0)
    """How many Pods keep the old revision: those with an index below this (podNaming Stable), or any that
    many (Generated). Default: 0, all are updated."""
    paused: bool = False
    """Holds the update where it is; Pods that fail or are deleted are still replaced. Default: false."""
