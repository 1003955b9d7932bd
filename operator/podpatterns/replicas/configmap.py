"""The decision about an object's ConfigMap: create, patch or delete it, or leave it alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from podpatterns.compose.revision import short_hash
from podpatterns.replicas.reading import mapping, mappings


@dataclass(frozen=True, slots=True)
class ConfigMap:
    """The slim record of an observed ConfigMap."""

    name: str
    uid: str
    labels: Mapping[str, str]
    controller: str
    """UID of its controller; empty without one."""
    hashes: Mapping[str, str]
    """Hash of each value, by its key."""
    resource_version: int = 0


@dataclass(frozen=True, slots=True)
class Create:
    pass


@dataclass(frozen=True, slots=True)
class Patch:
    data: Mapping[str, str | None] = field(default_factory=dict)
    """Values to write by key; None removes the key."""


@dataclass(frozen=True, slots=True)
class Delete:
    pass


@dataclass(frozen=True, slots=True)
class LeaveAlone:
    """The ConfigMap belongs to somebody else."""


Action = Create | Patch | Delete | LeaveAlone | None


def observe_config_map(obj: Mapping[str, Any]) -> ConfigMap:
    """Return the record of a ConfigMap as the API server sent it."""
    meta = obj["metadata"]
    owners = meta.get("ownerReferences") or ()
    return ConfigMap(
        name=meta["name"],
        uid=meta["uid"],
        labels=meta.get("labels") or {},
        controller=next((o["uid"] for o in owners if o.get("controller")), ""),
        hashes={key: short_hash(value) for key, value in (obj.get("data") or {}).items()},
        resource_version=int(meta["resourceVersion"]),
    )


def is_mounted(name: str, template: Mapping[str, Any]) -> bool:
    """Return whether a Pod made from the template needs the ConfigMap called `name` for its volumes."""
    volumes = mappings(mapping(template.get("spec")).get("volumes"))
    sources = (s for v in volumes for s in (v, *mappings(mapping(v.get("projected")).get("sources"))))
    return any(mapping(s.get("configMap")).get("name") == name for s in sources)


def stale_keys(files: Mapping[str, str], found: ConfigMap) -> set[str]:
    """Return the keys of `files` that `found` has with another content."""
    return {key for key, text in files.items() if found.hashes.get(key, "") not in ("", short_hash(text))}


def decide(
    files: Mapping[str, str],
    wanted: ConfigMap,
    found: ConfigMap | None,
    *,
    outdated_pods: bool,
    paused: bool = False,
) -> Action:
    """Return the write after which `found` holds the `files`; None if it holds them.

    `wanted` has the labels and the controller that it should have. While `outdated_pods` of another revision
    are there, keys that are wanted no more are kept: those Pods still read them. While `paused`, keys that
    are there stay as they are, since all Pods read them.
    """
    if found is None:
        return Create() if files else None
    orphan = not found.controller and wanted.labels.items() <= found.labels.items()
    if found.controller != wanted.controller and not orphan:
        return LeaveAlone() if files else None
    if not files and not outdated_pods:
        return Delete()
    rewritten = set() if paused else stale_keys(files, found)
    changed = {key: text for key, text in files.items() if key in rewritten or key not in found.hashes}
    gone = {key: None for key in found.hashes if key not in files and not outdated_pods}
    if changed or gone or orphan or not wanted.labels.items() <= found.labels.items():
        return Patch({**changed, **gone})
    return None
