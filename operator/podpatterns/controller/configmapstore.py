"""The cache of our objects' ConfigMaps, by namespace and name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from podpatterns.compose.labels import KIND, NAME
from podpatterns.controller.key import Key, NamespacedName
from podpatterns.replicas.configmap import ConfigMap, observe_config_map


class ConfigMapStore:
    """Ordered by resourceVersion, as the Pods' cache is, so never behind this process's own writes."""

    def __init__(self) -> None:
        self._by_name: dict[NamespacedName, ConfigMap] = {}
        self._by_uid: dict[str, tuple[Key, NamespacedName]] = {}

    def __len__(self) -> int:
        return len(self._by_uid)

    def get(self, namespace: str, name: str) -> ConfigMap | None:
        return self._by_name.get((namespace, name))

    def put(self, obj: Mapping[str, Any]) -> set[Key]:
        """Store a ConfigMap as the API server sent it; return its object, if that was news."""
        meta = obj["metadata"]
        labels = meta.get("labels") or {}
        if not {KIND, NAME} <= labels.keys():
            return set()
        name = (meta["namespace"], meta["name"])
        seen, known = observe_config_map(obj), self._by_name.get(name)
        if known is not None and seen.resource_version <= known.resource_version:
            return set()
        if known is not None:
            self.forget(known.uid)
        key = Key(labels[KIND], meta["namespace"], labels[NAME])
        self._by_name[name], self._by_uid[seen.uid] = seen, (key, name)
        return {key}

    def remove(self, uid: str, version: int) -> set[Key]:
        """Remove a ConfigMap that is gone, or has lost our labels, as of `version`."""
        if uid not in self._by_uid:
            return set()
        key, name = self._by_uid[uid]
        if version < self._by_name[name].resource_version:
            return set()
        self.forget(uid)
        return {key}

    def forget(self, uid: str) -> None:
        """Remove a ConfigMap that the API server doesn't have any more."""
        if uid in self._by_uid:
            _, name = self._by_uid.pop(uid)
            del self._by_name[name]

    def sweep(self, listed: Iterable[str], version: int, namespace: str = "") -> set[Key]:
        """Remove the ConfigMaps that a whole list of the namespace, or of all, as of `version` lacks: their
        deletion was missed."""
        present = set(listed)
        keys: set[Key] = set()
        within = (u for u, (key, _) in self._by_uid.items() if namespace in ("", key.namespace))
        for uid in [u for u in within if u not in present]:
            keys |= self.remove(uid, version)
        return keys
