"""The Pods as last seen, by the UID of the object that controls them.

Watch events, lists and the answers to our own writes all end here, ordered by resourceVersion: so the store
is never behind what this process wrote itself, and needs no expectations that time out. (resourceVersions can
be compared since Kubernetes 1.35, KEP-5504.)
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

from podpatterns.controller.key import Key, controller_of
from podpatterns.replicas import Pod, observe

GRAVES = 10_000
"""How many UIDs of gone Pods are remembered, so that a late answer to a write raises no ghost."""


class PodStore:
    def __init__(self) -> None:
        self._by_owner: dict[str, dict[str, Pod]] = {}
        self._owner: dict[str, tuple[Key, str]] = {}
        self._graves: OrderedDict[str, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._owner)

    def of(self, owner_uid: str) -> list[Pod]:
        """All Pods of one object."""
        return list(self._by_owner.get(owner_uid, {}).values())

    def put(self, obj: Mapping[str, Any]) -> set[Key]:
        """Take in a Pod as the server sent it; the keys whose Pods changed (none when it was no news)."""
        uid, version = obj["metadata"]["uid"], int(obj["metadata"]["resourceVersion"])
        if version <= self._graves.get(uid, -1):
            return set()
        known = self._get(uid)
        if known is not None and version <= known.resource_version:
            return set()
        before = self._owner.get(uid)
        owner = controller_of(obj)
        if owner is None or (before and before != owner):
            self._drop(uid)
        if owner is not None:
            key = Key(*map(sys.intern, owner[0]))
            self._owner[uid] = (key, owner[1])
            self._by_owner.setdefault(owner[1], {})[uid] = observe(obj)
        return {o[0] for o in (before, owner) if o}

    def remove(self, uid: str, version: int) -> set[Key]:
        """A Pod is gone, or no longer carries our labels, as of `version`."""
        known = self._get(uid)
        if known is not None and version < known.resource_version:
            return set()
        self._bury(uid, version)
        owner = self._drop(uid)
        return {owner[0]} if owner else set()

    def forget(self, uid: str) -> None:
        """The server says that the Pod is gone, without a version."""
        known = self._get(uid)
        if known is not None:
            self.remove(uid, known.resource_version)

    def sweep(self, listed: Iterable[str], version: int) -> set[Key]:
        """After a whole list at `version`: remove what vanished while no watch told."""
        present = set(listed)
        keys: set[Key] = set()
        for uid in [u for u in self._owner if u not in present]:
            keys |= self.remove(uid, version)
        return keys

    def _get(self, uid: str) -> Pod | None:
        owner = self._owner.get(uid)
        return self._by_owner[owner[1]][uid] if owner else None

    def _drop(self, uid: str) -> tuple[Key, str] | None:
        owner = self._owner.pop(uid, None)
        if owner:
            pods = self._by_owner[owner[1]]
            del pods[uid]
            if not pods:
                del self._by_owner[owner[1]]
        return owner

    def _bury(self, uid: str, version: int) -> None:
        self._graves[uid] = version
        if len(self._graves) > GRAVES:
            self._graves.popitem(last=False)
