"""The decisions: what happens to the n-th request of its sort, and to the n-th event of a watch.

They depend on the seed and on these numbers alone, never on time: a seed that failed decides the same again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
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
    stream: StreamFault | None = None
    """For a watch that begins."""


class Faults:
    """Those of one scenario, which runs in `namespace`; requests about other namespaces are left alone.

    `kills` has the numbers of those writes of Pods and statuses at which the operator is killed.
    """

    def __init__(self, seed: int, namespace: str, kills: frozenset[int] = frozenset()) -> None:
        self._seed = seed
        self._namespace = namespace
        self._kills = kills
        self._counts: Counter[tuple[str, str]] = Counter()
        self._writes = 0
        self.told: list[str] = []
        """What was decided, for people."""

    def request(self, route: Route) -> Fault:
        """What happens to the next request of its sort."""
        if route.namespace not in ("", self._namespace) and route.resource != "leases":
            return Fault()
        sort = (route.verb, route.resource)
        self._counts[sort] += 1
        title = f"{route.verb} {route.resource} {self._counts[sort]}"
        random = Random(f"{self._seed} {title}")
        fault = _trouble(route, random) if random.random() < TROUBLE else Fault()
        if sort in WRITES:
            self._writes += 1
            if self._writes in self._kills:
                fault = Fault(kill=random.choice(["before", "after"]))
        if route.verb == "watch":
            fault = replace(fault, stream=_stream(random, f"{self._seed} {title}"))
        if fault != Fault():
            self.told.append(f"{title}: {fault}")
        return fault


def _trouble(route: Route, random: Random) -> Fault:
    return Fault(
        delay=random.uniform(0, LONGEST_DELAY),
        kind=random.choice(["none", "refuse", "refuse", "cut", "lose", "gateway"]),
        refusal=random.choice(REFUSALS.get(route.verb, OVERLOADED)),
    )


def _stream(random: Random, seed: str) -> StreamFault:
    if random.random() < 0.5:
        return StreamFault(seed)
    return StreamFault(seed, random.randint(0, 20), random.choice(["close", "cut", "expired", "hang"]))
