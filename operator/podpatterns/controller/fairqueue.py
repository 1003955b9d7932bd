"""The fair queue: items of tenants, handed out in turns to a limited number of seats.

Two rules keep a tenant out of another's way. Tenants take turns: an item waits for one of another tenant,
even if that one has 10,000. And a tenant gets a further seat only while it holds at most `share` times what
would be left free: of 3, a tenant alone gets three quarters of them, several get equal parts, and who comes
next finds one free (the dynamic thresholds of switches that share a buffer: Choudhury and Hahne, IEEE/ACM
Transactions on Networking 6(2), 1998).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)

SHARE = 3
"""Seats that one tenant may have for each free one."""


class FairQueue(Generic[T]):
    """Every operation takes constant time, and nothing is kept of a tenant without items and seats.

    `take` passes over tenants that have their share: each of them has a seat, so there are fewer than seats.
    """

    def __init__(self, seats: int, share: float = SHARE) -> None:
        self._free = seats
        self._share = share
        self._held: dict[Hashable, int] = {}
        """Number of seats by tenant."""
        self._lines: OrderedDict[Hashable, OrderedDict[T, None]] = OrderedDict()
        """Items by tenant, in the order of the tenants' turns."""

    def put(self, tenant: Hashable, item: T) -> None:
        """Add an item behind the tenant's others; one that is there already keeps its place."""
        self._lines.setdefault(tenant, OrderedDict()).setdefault(item)

    def discard(self, tenant: Hashable, item: T) -> None:
        """Take an item out if it is there."""
        if line := self._lines.get(tenant):
            line.pop(item, None)
            if not line:
                del self._lines[tenant]

    def take(self) -> T | None:
        """Return the item whose turn it is and give its tenant a seat; None when no item may have one now."""
        tenant = next((tenant for tenant in self._lines if self._may_take(tenant)), None)
        if tenant is None:
            return None
        line = self._lines[tenant]
        item, _ = line.popitem(last=False)
        if line:
            self._lines.move_to_end(tenant)
        else:
            del self._lines[tenant]
        self._free -= 1
        self._held[tenant] = self._held.get(tenant, 0) + 1
        return item

    def release(self, tenant: Hashable) -> None:
        """Free a seat that the tenant was given."""
        self._free += 1
        self._held[tenant] -= 1
        if not self._held[tenant]:
            del self._held[tenant]

    def _may_take(self, tenant: Hashable) -> bool:
        return self._held.get(tenant, 0) <= self._share * (self._free - 1)
