"""The decisions: what happens to the n-th request of its sort, and to the n-th event of a watch.

They depend on the seed and on these numbers alone, never on time: a seed that failed decides the same again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from testbed.faults.route import Route

TROUBLE = 0.15
"""The share of requests to which something happens."""
SHORT_PAGES = 0.3
"""The share of lists' pages that are short."""
LONGEST_DELAY = 0.3
LONGEST_LATENESS = 1.5
LONGEST_SILENCE = 3.0
"""Seconds."""
NO_WRITES = ("get", "list", "continue", "watch")
ASIDE = ("events", "leases")
"""Writes that are not part of the work."""

Refusal = tuple[int, str]
Kind = Literal["none", "refuse", "reset", "drop response", "gateway", "hang"]
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
    "continue": [*OVERLOADED, EXPIRED],
}


@dataclass(frozen=True, slots=True)
class StreamFault:
    """The fault of one watch."""

    seed: str
    ends_after: int | None = None
    """Events until its end."""
    end: Literal["close", "reset", "expired", "hang"] = "close"
    """hang: nothing comes any more, but the connection stays open until the client has had enough."""

    def hold(self, event: int) -> float:
        """Seconds for which the event, and all after it, come late."""
        random = Random(f"{self.seed} {event}")
        if random.random() < 0.01:
            return random.uniform(1, LONGEST_SILENCE)
        return random.choice([0, 0, 0, 0, 0, 0.02, 0.05, 0.1, 0.3, random.uniform(0, 1)])


@dataclass(frozen=True, slots=True)
class Fault:
    delay: float = 0
    """Seconds until anything happens."""
    kind: Kind = "none"
    """refuse: the server says no. reset: the connection ends before the request arrives. drop response: it
    ends after the request was carried out. gateway: the same, and somebody on the way says that no answer
    came. hang: the request was carried out, and no answer ever comes."""
    refusal: Refusal = (500, "InternalError")
    retry_after: int | None = None
    """Seconds that the refusal asks to wait."""
    kill: Literal["", "before", "after"] = ""
    """The operator is killed before or after its request is carried out."""
    late: float = 0
    """Seconds by which the answer comes late: a list that was true then is old when it is read, and the
    answer to a write comes after the watch told of what followed it."""
    page: int | None = None
    """A list's page has no more items than this: the further pages are of the first one's moment."""
    stream: StreamFault | None = None
    """For a watch that begins."""


class Decisions(Protocol):
    def request(self, route: Route) -> Fault:
        """Return the fault of this request."""


class Faults:
    """The faults of one scenario, which runs in `namespace`; requests about other namespaces are left alone.

    `kills` has the numbers of those writes at which the operator is killed.
    """

    def __init__(self, seed: int, namespace: str, kills: frozenset[int] = frozenset()) -> None:
        self._seed = seed
        self._namespace = namespace
        self._kills = kills
        self._counts: Counter[tuple[str, str]] = Counter()
        self._writes = 0
        self.told: list[str] = []
        """The decisions, for people."""

    def request(self, route: Route) -> Fault:
        """Return the fault of the next request of its sort."""
        if route.namespace not in ("", self._namespace) and route.resource != "leases":
            return Fault()
        sort = (route.verb, route.resource)
        self._counts[sort] += 1
        title = f"{route.verb} {route.resource} {self._counts[sort]}"
        random = Random(f"{self._seed} {title}")
        fault = _trouble(route, random) if random.random() < TROUBLE else Fault()
        if route.verb in ("list", "continue") and random.random() < SHORT_PAGES:
            fault = replace(fault, page=random.randint(1, 3))
        if route.verb not in NO_WRITES and route.resource not in ASIDE:
            self._writes += 1
            if self._writes in self._kills:
                fault = Fault(kill=random.choice(["before", "after"]))
        if route.verb == "watch":
            fault = replace(fault, stream=_stream(random, f"{self._seed} {title}"))
        if fault != Fault():
            self.told.append(f"{title}: {fault}")
        return fault


def _trouble(route: Route, random: Random) -> Fault:
    kinds: list[Kind] = ["none", "refuse", "reset", "drop response", "gateway", "hang"]
    [kind] = random.choices(kinds, [12, 12, 6, 6, 6, 1])
    return Fault(
        delay=random.uniform(0, LONGEST_DELAY),
        kind=kind,
        refusal=random.choice(REFUSALS.get(route.verb, OVERLOADED)),
        late=random.uniform(0, LONGEST_LATENESS) if random.random() < 0.5 else 0,
    )


def _stream(random: Random, seed: str) -> StreamFault:
    if random.random() < 0.5:
        return StreamFault(seed)
    return StreamFault(seed, random.randint(0, 20), random.choice(["close", "reset", "expired", "hang"]))
