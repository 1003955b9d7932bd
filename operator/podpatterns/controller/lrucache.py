"""The cache of the values used last, up to a number of bytes of all tenants together."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class LruCache(Generic[K, V]):
    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._size = 0

    def get(self, key: K) -> V | None:
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return self._kept[key][0]

    def put(self, key: K, value: V, size: int) -> list[V]:
        """Keep a value of so many bytes, whatever its size; return the values evicted for it."""
        self.drop(key)
        self._kept[key] = value, size
        self._size += size
        gone = []
        while self._size > self._limit and len(self._kept) > 1:
            _, (oldest, freed) = self._kept.popitem(last=False)
            self._size -= freed
            gone.append(oldest)
        return gone

    def drop(self, key: K) -> None:
        if key in self._kept:
            _, size = self._kept.pop(key)
            self._size -= size
