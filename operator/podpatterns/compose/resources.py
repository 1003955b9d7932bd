"""CPU and memory of containers, as far as a running Pod can take a change of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from kubernetes.utils.quantity import parse_quantity

COMPUTE = ("cpu", "memory")
Resources = Mapping[str, Any]


def requested(resources: Resources) -> dict[str, Any]:
    """The same resources with every request spelled out: one that is left out equals the limit.

    The server fills requests in when a Pod is created, and not when it is resized.
    """
    limits = {k: v for k, v in (resources.get("limits") or {}).items() if k in COMPUTE}
    requests = {**limits, **(resources.get("requests") or {})}
    return {**resources, **({"requests": requests} if requests else {})}


def resizable(old: Resources, new: Resources) -> bool:
    """Only amounts of CPU and memory differ.

    Requests and limits can be changed, not added or taken away.
    """
    before, after = requested(old), requested(new)
    return _frame(before) == _frame(after)


def _frame(resources: Resources) -> dict[str, Any]:
    """What has to stay: everything but the amounts."""
    amounts = {
        kind: {k: (None if k in COMPUTE else v) for k, v in (resources.get(kind) or {}).items()}
        for kind in ("requests", "limits")
    }
    return {**resources, **amounts}


def qos_class(spec: Mapping[str, Any]) -> Literal["Guaranteed", "Burstable", "BestEffort"]:
    """The quality of service of a Pod, which never changes while it lives.

    https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/
    """
    every = [
        requested(c.get("resources") or {})
        for place in ("initContainers", "containers")
        for c in spec.get(place) or ()
    ]
    named = [r for r in every for kind in ("requests", "limits") if _compute(r, kind)]
    if not named:
        return "BestEffort"
    guaranteed = all(
        (limits := _compute(r, "limits")).keys() == set(COMPUTE) and limits == _compute(r, "requests")
        for r in every
    )
    return "Guaranteed" if guaranteed else "Burstable"


def _compute(resources: Resources, kind: str) -> dict[str, Any]:
    amounts = {k: parse_quantity(v) for k, v in (resources.get(kind) or {}).items() if k in COMPUTE}
    return {k: amount for k, amount in amounts.items() if amount}
