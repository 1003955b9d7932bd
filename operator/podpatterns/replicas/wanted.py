"""What an object asks of its Pods, with every percentage already a number."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from podpatterns.api import Pattern

PERCENT = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    name: str
    replicas: int
    revision: str
    naming: Literal["Stable", "Generated"] = "Stable"
    replacement: Literal["TerminatingOrFailed", "Failed"] = "TerminatingOrFailed"
    update: Literal["InPlaceIfPossible", "Recreate", "OnDelete"] = "InPlaceIfPossible"
    max_unavailable: int = 1
    max_surge: int = 0
    partition: int = 0
    paused: bool = False
    min_ready_seconds: float = 0
    configuration: str = ""
    """The hash of what the helpers of the newest revision are configured with; empty when they have none."""
    held_revision: str = ""
    """The revision from before the update under way, for Pods that the update is kept away from; empty when
    there is none, or when nobody knows any more how its Pods are made."""
    in_place: frozenset[str] = frozenset()
    """The revisions whose Pods can be brought to the newest one in place."""
    runs_to_completion: bool = False
    """A Pod that succeeded has done its work and is kept (restartPolicy OnFailure or Never)."""

    @property
    def rolls_out(self) -> bool:
        """Outdated Pods are replaced by the operator, not left to be deleted by a person."""
        return not self.paused and self.update != "OnDelete"

    @classmethod
    def of(cls, app: Pattern, revision: str) -> Wanted:
        """Read from an object that makes Pods.

        Rounding is Deployment's: maxUnavailable down, maxSurge up, and never both 0.
        """
        spec, strategy = app.spec, app.spec.update_strategy
        surge = resolve(strategy.max_surge, spec.replicas, up=True) if spec.pod_naming == "Generated" else 0
        unavailable = resolve(strategy.max_unavailable, spec.replicas, up=False)
        restart_policy = (spec.template or {}).get("spec", {}).get("restartPolicy", "Always")
        return cls(
            name=app.metadata.name,
            replicas=spec.replicas,
            revision=revision,
            naming=spec.pod_naming,
            replacement=spec.pod_replacement_policy,
            update=strategy.type,
            max_unavailable=unavailable or (0 if surge else 1),
            max_surge=surge,
            partition=strategy.partition,
            paused=strategy.paused,
            min_ready_seconds=spec.min_ready_seconds,
            runs_to_completion=restart_policy != "Always",
        )


def resolve(value: int | str, total: int, *, up: bool) -> int:
    """A count out of a number or a percentage of `total`."""
    if isinstance(value, int):
        return value
    share = int(value.removesuffix("%")) * total / PERCENT
    return math.ceil(share) if up else math.floor(share)
