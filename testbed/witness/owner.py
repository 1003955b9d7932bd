"""An object that makes Pods, as the operator may know it at a moment."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from testbed.witness.change import Object

GROUP = "podpatterns.dev"


class Key(NamedTuple):
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class SpecBounds:
    """The bounds that one generation of a spec sets."""

    name: str
    stable: bool
    replicas: int
    limit: int
    """The most Pods that may be live: replicas + maxSurge."""
    least: int
    """The fewest Pods that an update may leave available: replicas - maxUnavailable."""
    ends: bool = False
    """Its Pods end by themselves: restartPolicy OnFailure or Never."""
    start: int = 0
    """The first ordinal."""
    retains: bool = True
    """Nothing that becomes of Pods and of the object deletes a claim."""

    def fits(self, pod: str) -> bool:
        """Pods may be created by that name."""
        prefix, _, suffix = pod.rpartition("-")
        if prefix != self.name:
            return False
        return not self.stable or suffix in {str(self.start + index) for index in range(self.replicas)}


@dataclass(slots=True)
class Owner:
    """One object with one UID, and those generations of its spec that the operator may still act on.

    The operator is always late. It has caught up with a generation when it has written it to
    status.observedGeneration; from then on the older ones are no excuse.
    """

    key: Key
    uid: str
    bounds: dict[int, SpecBounds] = field(default_factory=dict)
    observed: int = 0
    ready: int = 0
    """The number of Pods that the operator says are there and ready, all of them; 0 while some are not."""
    failed: bool = False
    """The operator says that the work has failed: it ends the Pods that still run."""
    over: str = ""
    """The revision whose work the operator says to be over, completely or failed, as Pods name it."""

    def learn(self, obj: Object) -> None:
        status = obj.get("status") or {}
        counts = {status.get(name) for name in ("replicas", "readyReplicas", "availableReplicas")}
        self.ready = counts.pop() or 0 if len(counts) == 1 else 0
        true = {c["type"] for c in status.get("conditions", ()) if c["status"] == "True"}
        self.failed = "Failed" in true
        newest = status.get("observedGeneration") == obj["metadata"]["generation"]
        over = newest and not true.isdisjoint(("Complete", "Failed"))
        self.over = status.get("updateRevision", "").removeprefix(f"{self.key.name}-") if over else ""
        self.bounds[obj["metadata"]["generation"]] = spec_bounds(obj)
        # The CRDs' default for an object that nobody has observed yet is -1.
        self.observed = max(0, status.get("observedGeneration", 0))
        self.bounds = {generation: b for generation, b in self.bounds.items() if generation >= self.observed}

    @property
    def limit(self) -> int:
        return max((b.limit for b in self.bounds.values()), default=0)

    @property
    def least(self) -> int:
        return min((b.least for b in self.bounds.values()), default=0)

    def fits(self, pod: str) -> bool:
        return any(b.fits(pod) for b in self.bounds.values())

    @property
    def retains(self) -> bool:
        return all(b.retains for b in self.bounds.values())


def spec_bounds(obj: Object) -> SpecBounds:
    spec = obj["spec"]
    replicas = spec.get("replicas", 1) if "template" in spec else 0
    stable = spec.get("podNaming", "Stable") == "Stable"
    strategy = spec.get("updateStrategy", {})
    surge = 0 if stable else math.ceil(_count(strategy.get("maxSurge", 0), replicas))
    unavailable = math.floor(_count(strategy.get("maxUnavailable", "25%"), replicas))
    if not unavailable and not surge:
        unavailable = 1  # else nothing could ever be updated
    policy = spec.get("template", {}).get("spec", {}).get("restartPolicy", "Always")
    return SpecBounds(
        obj["metadata"]["name"],
        stable,
        replicas,
        replicas + surge,
        replicas - unavailable,
        ends=policy != "Always",
        start=spec.get("ordinals", {}).get("start", 0),
        retains="Delete" not in spec.get("persistentVolumeClaimRetentionPolicy", {}).values(),
    )


def _count(value: int | str, replicas: int) -> float:
    return int(value.removesuffix("%")) * replicas / 100 if isinstance(value, str) else value
