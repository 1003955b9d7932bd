"""A plan, and what it does, in the words of the tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

from podpatterns.replicas import Limits, Plan, Pod, Wanted, plan
from testbed.builders import NOW


def fresh() -> Iterator[str]:
    return (f"site-fresh{i}" for i in count())


def decide(want: Wanted, pods: Sequence[Pod], now: float = NOW, **given: Any) -> Plan:
    return plan(want, pods, now, fresh(), Limits(**given))


def doing(decided: Plan) -> tuple[list[str], list[str]]:
    """Names deleted and names created."""
    return [d.name for d in decided.deletes], [c.name for c in decided.creates]


GENERATED = {"naming": "Generated"}
NOTHING: tuple[list[str], list[str]] = ([], [])
