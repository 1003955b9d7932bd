"""The cache of Pods, by the object that controls them.

Watch events, lists and the answers to our own writes all end here, ordered by resourceVersion: so the cache
is never behind what this process wrote itself, and needs no expectations that time out. (resourceVersions can
be compared since Kubernetes 1.35, KEP-5504.)
"""

from __future__ import annotations

import logging
import sys
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from podpatterns.api.conditions import PodReason
from podpatterns.compose.labels import KIND, NAME, selector
from podpatterns.controller.key import Key, controller_of
from podpatterns.controller.metrics import SKIPPED_RECORDS
from podpatterns.replicas import Pod, observe

log = logging.getLogger(__name__)

MANY_PODS = 1_000
"""Pods of one object from which on a computation over all of them runs in a thread: it takes some 5 ms."""
TOMBSTONES = 10_000
"""UIDs of deleted Pods that are kept, so that a late answer to a write brings no Pod back."""


class Home(NamedTuple):
    """The object that a Pod belongs to: its controller, or without one the object that its labels name."""

    key: Key
    owner_uid: str
    """Empty for an orphan."""


class PodStore:
    def __init__(self) -> None:
        self._homes: dict[Home, dict[str, Pod]] = {}
        self._home: dict[str, Home] = {}
        self._tombstones: OrderedDict[str, int] = OrderedDict()
        self._removed: defaultdict[Key, dict[str, tuple[str, Pod]]] = defaultdict(dict)
        """The UID of the former controller and the Pod, by object and by the Pod's UID."""

    def __len__(self) -> int:
        return len(self._home)

    def of(self, key: Key, owner_uid: str) -> list[Pod]:
        """Return all Pods that an object controls."""
        return list(self._homes.get(Home(key, owner_uid), {}).values())

    def orphans(self, key: Key) -> list[Pod]:
        """Return the Pods with the object's labels and no controller."""
        return self.of(key, "")

    def removed(self, key: Key, owner_uid: str) -> list[Pod]:
        """Return the Pods that went without terminating first, deleted at once or relabelled, until they are
        settled."""
        return [pod for owner, pod in self._removed.get(key, {}).values() if owner == owner_uid]

    def settle(self, key: Key, pods: Iterable[Pod]) -> None:
        """Forget removed Pods: what follows from their removal is done."""
        for pod in pods:
            self._removed[key].pop(pod.uid, None)
        if not self._removed[key]:
            del self._removed[key]

    def settle_all(self, key: Key) -> None:
        """Forget all removed Pods of an object that is gone."""
        self._removed.pop(key, None)

    def put(self, obj: Mapping[str, Any]) -> set[Key]:
        """Store a Pod as the API server sent it; return the keys whose Pods changed, none for no news."""
        uid, version = obj["metadata"]["uid"], int(obj["metadata"]["resourceVersion"])
        if version <= self._tombstones.get(uid, -1):
            return set()
        known = self._get(uid)
        if known is not None and version <= known.resource_version:
            return set()
        before, home = self._home.get(uid), _home(obj)
        stays = home is not None and _labelled(obj, home.key)
        if before and not (stays and before == home):
            self._drop(uid)
        if home and stays:
            seen = observe(obj)
            if seen.reason == PodReason.UNREADABLE:
                # It counts as one that isn't ready, and its owner's status says so.
                SKIPPED_RECORDS.labels("pods").inc()
                log.error("Pod unreadable", extra={"key": home.key, "pod": seen.name})
            self._home[uid] = home
            self._homes.setdefault(home, {})[uid] = seen
            if before == home and known is not None and _alike(known, seen):
                return set()
        elif home:
            self._removed[home.key][uid] = home.owner_uid, observe(obj)
        return {h.key for h in (before, home) if h}

    def put_deleted(self, uid: str, answer: Mapping[str, Any]) -> None:
        """Store what the API server answered to the deletion of a Pod: the Pod, if it is terminating only.

        When somebody else's deletion wins the race, the answer is the Pod without its resourceVersion (the
        registry's last known state): it is gone.
        """
        if (
            answer.get("kind") == "Pod"
            and {"deletionTimestamp", "resourceVersion"} <= answer["metadata"].keys()
        ):
            self.put(answer)
        else:
            self.forget(uid)

    def remove(self, uid: str, version: int) -> set[Key]:
        """Remove a Pod that is gone, or has lost our labels, as of `version`; return the keys concerned."""
        known = self._get(uid)
        if known is not None and version < known.resource_version:
            return set()
        home = self._home.get(uid)
        if known is not None and home is not None and home.owner_uid and known.live:
            self._removed[home.key][uid] = home.owner_uid, known
        self.forget(uid, version)
        return {home.key} if home else set()

    def forget(self, uid: str, version: int = sys.maxsize) -> None:
        """Remove a Pod as of `version`; for good if the API server itself said so: UIDs never come back."""
        known = self._get(uid)
        if known is not None:
            version = max(version, known.resource_version)
            self._drop(uid)
        self._tombstones[uid] = max(version, self._tombstones.get(uid, 0))
        if len(self._tombstones) > TOMBSTONES:
            self._tombstones.popitem(last=False)

    def sweep(self, listed: Iterable[str], version: int, namespace: str = "") -> set[Key]:
        """Remove the Pods that a whole list of the namespace, or of all, as of `version` lacks: their
        deletion was missed."""
        present = set(listed)
        keys: set[Key] = set()
        within = (u for u, home in self._home.items() if namespace in ("", home.key.namespace))
        for uid in [u for u in within if u not in present]:
            keys |= self.remove(uid, version)
        return keys

    def _get(self, uid: str) -> Pod | None:
        home = self._home.get(uid)
        return self._homes[home][uid] if home else None

    def _drop(self, uid: str) -> None:
        home = self._home.pop(uid)
        pods = self._homes[home]
        del pods[uid]
        if not pods:
            del self._homes[home]


def _alike(known: Pod, seen: Pod) -> bool:
    """Return whether nothing that counts has changed: scheduling alone does not."""
    return replace(seen, resource_version=known.resource_version, node=known.node) == known


def _labelled(obj: Mapping[str, Any], key: Key) -> bool:
    return selector(key.kind, key.name).items() <= (obj["metadata"].get("labels") or {}).items()


def _home(obj: Mapping[str, Any]) -> Home | None:
    owner = controller_of(obj)
    if owner is not None:
        return Home(Key(*map(sys.intern, owner[0])), owner[1])
    meta = obj["metadata"]
    labels = meta.get("labels") or {}
    if (
        any(o.get("controller") for o in meta.get("ownerReferences") or ())
        or not {KIND, NAME} <= labels.keys()
    ):
        return None
    return Home(Key(*map(sys.intern, (labels[KIND], meta["namespace"], labels[NAME]))), "")
