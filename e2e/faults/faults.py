"""The decisions: what happens to the n-th request of its sort, and to the n-th event of a watch.

They depend on the seed and on these numbers alone, never on time: a seed that failed decides the same again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from e2e.faults.route import Route

TROUBLE = 0.15
"""The share of requests to which something happens."""
LONGEST_DELAY = 0.3
WRITES = {("create", "pods"), ("delete", "pods"), ("patch", "sidecarapps/status"), ("patch", "pods")}

Refusal = tuple[int, str]
OVERLOADED: list[Refusal] = [
    (429, "TooManyRequests"),
    (500, "InternalError"),
    (503, "ServiceUnavailable"),
    (504, "Timeout"),
]
CONFLICT: Refusal = (409, "Conflict")
EXPIRED: Refusal = (410, "Expired")
REFUSALS: dict[str, list[Refusal]] = {
    "create": [*OVERLOADED, CONFLICT],  # of writers of a quota, say
    "patch": [*OVERLOADED, CONFLICT],
    "update": [*OVERLOADED, CONFLICT],
    "watch": [*OVERLOADED, EXPIRED],
}


@dataclass(frozen=True, slots=True)
class Fault:
    delay: float = 0
    """Seconds until anything happens."""
    kind: Literal["none", "refuse", "cut", "lose", "gateway"] = "none"
    """refuse: the server says no. cut: the connection ends before the request arrives. lose: it ends after
    the request was carried out. gateway: the same, and somebody on the way says that no answer came."""
    refusal: Refusal = (500, "InternalError")
    kill: Literal["", "before", "after"] = ""
    """The operator is killed before or after its request is carried out."""


@dataclass(frozen=True, slots=True)
class StreamFault:
    """What happens to one watch."""

    seed: str
    ends_after: int | None = None
    """Events until its end."""
    end: Literal["close", "cut", "expired", "hang"] = "close"

    def hold(self, event: int) -> float:
        """Seconds for which the event, and all after it, come late."""
        random = Random(f"{self.seed} {event}")
        return random.choice([0, 0, 0, 0, 0, 0.02, 0.05, 0.1, 0.3, random.uniform(0, 1)])


class Faults:
    """Those of one scenario, which runs in `namespace`; requests about other namespaces are left alone.

    `kills` has the numbers of those writes of Pods and statuses at which the operator is killed.
    """

    def __init__(self, seed: int, namespace: str, kills: frozenset[int] = frozenset()) -> None:
        self._seed = seed
        self._namespace = namespace
        self._kills = kills
        self._counts: Counter[tuple[str, str]] = Counter()
        self.writes = 0
        self.told: list[str] = []
        """What was done, for people."""

    def request(self, route: Route) -> Fault:
        if not self._concerns(route):
            return Fault()
        random = self._random(route)
        kill: Literal["", "before", "after"] = ""
        if (route.verb, route.resource) in WRITES:
            self.writes += 1
            if self.writes in self._kills:
                kill = random.choice(["before", "after"])
        fault = Fault(kill=kill)
        if random.random() < TROUBLE:
            refusals = REFUSALS.get(route.verb, OVERLOADED)
            fault = Fault(
                delay=random.uniform(0, LONGEST_DELAY),
                kind=random.choice(["none", "refuse", "refuse", "cut", "lose", "gateway"]),
                refusal=random.choice(refusals),
                kill=kill,
            )
        if fault != Fault():
            self.told.append(f"{route.verb} {route.resource} {self._counts[route[:2]]}: {fault}")
        return fault

    def stream(self, route: Route) -> StreamFault:
        """What happens to a watch that was begun."""
        random = self._random(route, " stream")
        seed = f"{self._seed} {route[:2]} {self._counts[route[:2]]}"
        if random.random() < 0.5:
            return StreamFault(seed)
        fault = StreamFault(
            seed,
            random.randint(0, 20),
            random.choice(["close", "cut", "expired", "hang"]),
        )
        self.told.append(f"{route.verb} {route.resource} {self._counts[route[:2]]}: {fault}")
        return fault

    def _concerns(self, route: Route) -> bool:
        return route.namespace in ("", self._namespace) or route.resource == "leases"

    def _random(self, route: Route, what: str = "") -> Random:
        if not what:
            self._counts[route[:2]] += 1
        return Random(f"{self._seed} {route[:2]} {self._counts[route[:2]]}{what}")
