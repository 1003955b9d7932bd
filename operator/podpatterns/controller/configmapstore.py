"""The ConfigMaps of our objects as last seen, by namespace and name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from podpatterns.compose.labels import KIND, NAME
from podpatterns.controller.key import Key
from podpatterns.replicas.configmap import ConfigMap, observe_config_map


class ConfigMapStore:
    """Ordered by resourceVersion as the store of Pods is, so never behind this process's own writes."""

    def __init__(self) -> None:
        self._by_name: dict[tuple[str, str], ConfigMap] = {}
        self._by_uid: dict[str, tuple[Key, tuple[str, str]]] = {}

    def get(self, namespace: str, name: str) -> ConfigMap | None:
        return self._by_name.get((namespace, name))

    def put(self, obj: Mapping[str, Any]) -> set[Key]:
        """Take in a ConfigMap as the server sent it; the object it belongs to, if that was news."""
        meta = obj["metadata"]
        labels = meta.get("labels") or {}
        if not {KIND, NAME} <= labels.keys():
            return set()
        place = (meta["namespace"], meta["name"])
        seen, known = observe_config_map(obj), self._by_name.get(place)
        if known is not None and seen.resource_version <= known.resource_version:
            return set()
        if known is not None:
            self.forget(known.uid)
        key = Key(labels[KIND], meta["namespace"], labels[NAME])
        self._by_name[place], self._by_uid[seen.uid] = seen, (key, place)
        return {key}

    def remove(self, uid: str, version: int) -> set[Key]:
        """A ConfigMap is gone, or no longer carries our labels, as of `version`."""
        if uid not in self._by_uid:
            return set()
        key, place = self._by_uid[uid]
        if version < self._by_name[place].resource_version:
            return set()
        self.forget(uid)
        return {key}

    def forget(self, uid: str) -> None:
        """The ConfigMap is gone by the server's own word."""
        if uid in self._by_uid:
            _, place = self._by_uid.pop(uid)
            del self._by_name[place]

    def sweep(self, listed: Iterable[str], version: int) -> set[Key]:
        """After a whole list at `version`: remove what was deleted while no watch told."""
        present = set(listed)
        keys: set[Key] = set()
        for uid in [u for u in self._by_uid if u not in present]:
            keys |= self.remove(uid, version)
        return keys
