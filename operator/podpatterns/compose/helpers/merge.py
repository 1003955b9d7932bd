"""Merge of a fragment of a container into a whole one, as `kubectl patch` does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# The strategic merge keys of core/v1 Container:
# https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#Container
LIST_KEYS = {
    "env": "name",
    "ports": "containerPort",
    "volumeDevices": "devicePath",
    "volumeMounts": "mountPath",
}


def merged(whole: Mapping[str, Any], fragment: Mapping[str, Any]) -> dict[str, Any]:
    """Return `whole` with `fragment` merged in: maps by field, the lists above by item; any other value is
    replaced."""
    result = dict(whole)
    for name, value in fragment.items():
        there = result.get(name)
        if isinstance(there, Mapping) and isinstance(value, Mapping):
            result[name] = merged(there, value)
        elif name in LIST_KEYS and there and value:
            result[name] = _merged_list(there, value, LIST_KEYS[name])
        else:
            result[name] = value
    return result


def _merged_list(
    whole: Sequence[Mapping[str, Any]], fragment: Sequence[Mapping[str, Any]], key: str
) -> list[Mapping[str, Any]]:
    items = {item.get(key): item for item in whole}
    for item in fragment:
        items[item.get(key)] = merged(items.get(item.get(key), {}), item)
    return list(items.values())
