"""Update strategy: the rollout of a new revision."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from podpatterns.api.model import Model, Validation
from podpatterns.api.scalar import CountOrPercentage


class InPlace(Model):
    """Updates of running Pods in place, with type InPlaceIfPossible."""

    validations: ClassVar[tuple[Validation, ...]] = (
        Validation(
            "self.drainSeconds == 0 || self.containers == 'All'",
            "needs containers All: no other update in place restarts the application",
            ".drainSeconds",
        ),
    )

    containers: Literal["Helpers", "All"] = "Helpers"
    """Containers that an update in place may restart. Helpers: those beside the application's; a change that
    restarts a container of spec.template replaces the Pod. All: the application's too, which serves no
    requests meanwhile. Default: Helpers."""
    drain_seconds: int = Field(default=0, ge=0, le=3600)
    """Seconds for which a Pod is out of its Services before a container of the application restarts in place.
    If more than 0, new Pods get the readiness gate podpatterns.dev/in-service: they wait for the operator
    before they are ready. A Pod without the gate is replaced instead. Default: 0, which restarts at once."""
    resize_timeout_seconds: int = Field(default=60, ge=0)
    """Seconds for which a node may defer a change of CPU and memory before the Pod is replaced. One that the
    node or the API server refuses replaces it at once. Default: 60."""


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
    """Way of updating a Pod. InPlaceIfPossible: a running Pod takes new images of helpers, CPU and memory,
    labels and annotations, and a new image restarts only its own container; any other change replaces the
    Pod. Recreate: every change replaces Pods. OnDelete: a Pod gets the new revision after somebody deletes
    it. Default: InPlaceIfPossible."""
    in_place: InPlace = InPlace()
    """Updates in place: of which containers, and how."""
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
