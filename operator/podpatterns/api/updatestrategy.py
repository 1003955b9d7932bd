"""Update strategy: the rollout of a new revision."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from podpatterns.api.model import Model, Validation
from podpatterns.api.scalar import CountOrPercentage


class UpdateStrategy(Model):
    """Rollout of a change of the template, of a helper or of an included part to the running Pods."""

    validations: ClassVar[tuple[Validation, ...]] = (
        Validation(
            "self.maxUnavailable != 0 && self.maxUnavailable != '0%'"
            " || self.maxSurge != 0 && self.maxSurge != '0%'",
            "may not be 0 while maxSurge is 0 too: no Pod could ever be updated",
            ".maxUnavailable",
        ),
    )

    type: Literal["InPlaceIfPossible", "Recreate", "OnDelete"] = "InPlaceIfPossible"
    """Way of updating a Pod. InPlaceIfPossible: a running Pod takes new images, CPU and memory, labels and
    annotations, and a new image restarts only its own container; any other change replaces the Pod. Recreate:
    every change replaces Pods. OnDelete: a Pod gets the new revision after somebody deletes it. Default:
    InPlaceIfPossible."""
    max_unavailable: CountOrPercentage = "25%"
    """Maximum number of Pods that may be unavailable during a rollout, absolute or as a percentage of
    replicas, rounded down. If this and maxSurge both round to 0, it counts as 1. Default: 25%."""
    max_surge: CountOrPercentage = 0
    """Maximum number of Pods above replicas during a rollout, absolute or as a percentage of replicas,
    rounded up. Needs podNaming Generated: two Pods can't have one stable name. Default: 0."""
    partition: int = Field(default=0, ge=0)
    """Number of Pods that keep the old revision: those with an index below it (podNaming Stable), or any that
    many (Generated). Default: 0, which updates all."""
    paused: bool = False
    """Pauses the rollout; Pods that fail or are deleted are still replaced. Default: false."""
