"""Ordinals: the numbers at the end of Stable Pods' names, as StatefulSet has them."""

from __future__ import annotations

from podpatterns.replicas.wanted import Wanted


def ordinals(wanted: Wanted) -> range:
    """Return the ordinals of the replicas."""
    return range(wanted.start, wanted.start + wanted.replicas)


def stable_name(name: str, index: int) -> str:
    """Return the name of an object's Stable Pod with that ordinal."""
    return f"{name}-{index}"


def ordinal(wanted: Wanted, name: str) -> int | None:
    """Return the ordinal in a Stable Pod's name; None for any other name."""
    prefix, _, index = name.rpartition("-")
    if prefix != wanted.name or not index.isdecimal() or str(int(index)) != index:
        return None
    return int(index)


def is_condemned(wanted: Wanted, name: str) -> bool:
    """Return whether no replica has that name: its ordinal is out of range, or the name was generated."""
    return wanted.naming == "Stable" and ordinal(wanted, name) not in ordinals(wanted)


def is_below_partition(wanted: Wanted, index: int | None) -> bool:
    """Return whether an update is kept away from that ordinal. A partition counts from the first ordinal, as
    StatefulSet's does."""
    return (index or 0) - wanted.start < wanted.partition
