"""CPU and memory of containers, and the changes of them that a running Pod can take."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from kubernetes.utils.quantity import parse_quantity

from podpatterns.replicas.reading import mappings, text

COMPUTE = ("cpu", "memory")
KINDS = ("requests", "limits")


def requested(resources: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the resources with every request: one that is left out equals the limit.

    The server fills requests in when a Pod is created, and not when it is resized.
    """
    written = resources or {}
    limits = {k: v for k, v in (written.get("limits") or {}).items() if k in COMPUTE}
    requests = {**limits, **(written.get("requests") or {})}
    return {**written, **({"requests": requests} if requests else {})}


def same_resources(old: Any, new: Any) -> bool:
    """Return whether both ask for the same: 1, "1" and 1000m are one quantity."""
    if not (_readable(old) and _readable(new)):
        return bool(old == new)
    return _in_one_notation(old) == _in_one_notation(new)


def _in_one_notation(resources: Any) -> dict[str, Any]:
    written = requested(resources)
    amounts = {kind: {k: _amount(v) for k, v in (written.get(kind) or {}).items()} for kind in KINDS}
    return {name: value for name, value in {**written, **amounts}.items() if value}


def _amount(value: Any) -> Any:
    """Return the amount of a quantity, and anything else as it is."""
    amount = _quantity(value)
    return value if amount is None else amount


def resizable(old: Any, new: Any) -> bool:
    """Return whether only amounts of CPU and memory differ.

    Requests and limits can be changed, not added or taken away.
    """
    if not (_readable(old) and _readable(new)):
        return False
    return _frame(requested(old)) == _frame(requested(new))


def changed_amounts(old: Any, new: Any) -> frozenset[str]:
    """Return the amounts that differ between two readable resources, each as in `limits.memory`."""
    before, after = requested(old), requested(new)
    pairs = {(kind, name) for kind in KINDS for name in _compute(before, kind) | _compute(after, kind)}
    return frozenset(
        f"{kind}.{name}"
        for kind, name in pairs
        if _compute(before, kind).get(name) != _compute(after, kind).get(name)
    )


def resize_restarts(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Return whether new amounts restart the container, by its resizePolicy."""
    restarting = {
        text(policy.get("resourceName"))
        for policy in mappings(new.get("resizePolicy"))
        if policy.get("restartPolicy") == "RestartContainer"
    }
    changed = changed_amounts(old.get("resources"), new.get("resources"))
    return any(amount.partition(".")[2] in restarting for amount in changed)


def _frame(resources: Mapping[str, Any]) -> dict[str, Any]:
    """Return everything but the amounts, which must stay."""
    amounts = {
        kind: {k: (None if k in COMPUTE else _amount(v)) for k, v in (resources.get(kind) or {}).items()}
        for kind in KINDS
    }
    return {**resources, **amounts}


def qos_class(spec: Mapping[str, Any]) -> Literal["Guaranteed", "Burstable", "BestEffort"] | None:
    """Return the QoS class of a Pod, which never changes while it lives; None if it can't be read.

    https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/
    """
    lists = [spec.get(name) or [] for name in ("initContainers", "containers")]
    containers = [c for listed in lists if isinstance(listed, list) for c in listed]
    if not all(isinstance(listed, list) for listed in lists) or not all(
        isinstance(c, Mapping) and _readable(c.get("resources")) for c in containers
    ):
        return None
    every = [requested(c.get("resources")) for c in containers]
    named = [r for r in every for kind in KINDS if _compute(r, kind)]
    if not named:
        return "BestEffort"
    guaranteed = all(
        (limits := _compute(r, "limits")).keys() == set(COMPUTE) and limits == _compute(r, "requests")
        for r in every
    )
    return "Guaranteed" if guaranteed else "Burstable"


def _compute(resources: Mapping[str, Any], kind: str) -> dict[str, Decimal]:
    amounts = {k: _quantity(v) for k, v in (resources.get(kind) or {}).items() if k in COMPUTE}
    return {k: amount for k, amount in amounts.items() if amount}


def _readable(resources: Any) -> bool:
    """Return whether they have the form of a core/v1 ResourceRequirements, or there are none."""
    if resources is None:
        return True
    if not isinstance(resources, Mapping):
        return False
    amounts = [resources[kind] for kind in KINDS if resources.get(kind) is not None]
    return all(
        isinstance(of_kind, Mapping)
        and all(_quantity(v) is not None for k, v in of_kind.items() if k in COMPUTE)
        for of_kind in amounts
    )


def _quantity(value: Any) -> Decimal | None:
    """Return the amount, or None for a value that is no quantity."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount: Decimal = parse_quantity(value)
    except (ValueError, ArithmeticError):
        return None
    return amount if amount.is_finite() else None
