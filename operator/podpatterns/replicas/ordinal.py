"""Ordinals: the numbers at the end of Stable Pods' names, as StatefulSet has them."""

from __future__ import annotations

from podpatterns.replicas.wanted import Wanted


def ordinal(wanted: Wanted, name: str) -> int | None:
    """Return the ordinal in a Stable Pod's name; None for any other name."""
    prefix, _, index = name.rpartition("-")
    if prefix != wanted.name or not index.isdecimal() or str(int(index)) != index:
        return None
    return int(index)


def is_condemned(wanted: Wanted, name: str) -> bool:
    """Return whether no replica has that name: its ordinal is too high, or the name is a generated one."""
    return wanted.naming == "Stable" and ordinal(wanted, name) not in range(wanted.replicas)
