"""Shared volumes and shared memory: emptyDirs, and their mounts in each container."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from podpatterns.api import SharedVolume
from podpatterns.compose.part import Part
from podpatterns.compose.podcontainer import PodContainer

SHARED_MEMORY = "shared-memory"


class Declaration:
    """Declaration of a shared volume by one object."""

    def __init__(self, volume: SharedVolume, path: str) -> None:
        self.volume = volume
        self.path = path
        self.mounts = {m.container: m for m in reversed(volume.mounts)}

    def mount(self, container: str) -> dict[str, Any] | None:
        """Return the volumeMount for a container, or None if it gets none."""
        own = self.mounts.get(container)
        path = (own and own.mount_path) or self.volume.mount_path
        if path is None:
            return None
        mount: dict[str, Any] = {"name": self.volume.name, "mountPath": path}
        if own and own.read_only:
            mount["readOnly"] = True
        if own and own.sub_path:
            mount["subPath"] = own.sub_path
        return mount


@dataclass(slots=True)
class Shared:
    """One emptyDir of the Pod and every declaration of it.

    A part and the application that includes it share a volume by giving it one name; each sets the paths in
    its own containers.
    """

    name: str
    declarations: dict[int, Declaration] = field(default_factory=dict)

    def manifest(self) -> dict[str, Any]:
        source: dict[str, Any] = {}
        for declared in self.declarations.values():
            if declared.volume.medium:
                source["medium"] = declared.volume.medium
            if declared.volume.size_limit is not None:
                source["sizeLimit"] = declared.volume.size_limit
        return {"name": self.name, "emptyDir": source}

    def mount(self, container: PodContainer) -> dict[str, Any] | None:
        """Return the volumeMount for a container, or None if it gets none."""
        declared = self.declaration_for(container)
        return declared.mount(container.name) if declared else None

    def declaration_for(self, container: PodContainer) -> Declaration | None:
        """Return the declaration that says where a container mounts it.

        The application's mounts of the container come first, then those of the object that declared the
        container, then the first declaration.
        """
        for owner in (0, container.owner):
            declared = self.declarations.get(owner)
            if declared and container.name in declared.mounts:
                return declared
        if container.composed:
            return None
        return self.declarations.get(container.owner) or next(iter(self.declarations.values()))


@dataclass(frozen=True, slots=True)
class PodVolumes:
    """The volumes of a Pod, by where they come from; each is a core/v1 Volume."""

    own: Sequence[Mapping[str, Any]]
    """spec.template.spec.volumes."""
    claims: Sequence[Mapping[str, Any]]
    """Those of spec.volumeClaimTemplates, which take the place of others in the template."""
    of_parts: Mapping[str, Mapping[str, Any]]
    """Those of included parts, by their field."""
    shared: Sequence[Shared]
    memory: Mapping[str, Any] | None
    """The volume of /dev/shm."""
    config: Sequence[Mapping[str, Any]]
    """Those of the helpers' configuration."""

    def manifests(self) -> list[Mapping[str, Any]]:
        claimed = {volume["name"] for volume in self.claims}
        return [
            *(v for v in self.own if v.get("name") not in claimed),
            *self.claims,
            *self.of_parts.values(),
            *(s.manifest() for s in self.shared),
            *([self.memory] if self.memory else ()),
            *self.config,
        ]


def shared_volumes(parts: Sequence[Part]) -> list[Shared]:
    """Return the Pod's shared volumes, the application's first."""
    shared: dict[str, Shared] = {}
    for part in parts:
        for i, volume in enumerate(part.pattern.spec.shared_volumes):
            declared = Declaration(volume, part.path(f"spec.sharedVolumes[{i}]"))
            shared.setdefault(volume.name, Shared(volume.name)).declarations[part.owner] = declared
    return list(shared.values())


def part_volumes(parts: Sequence[Part]) -> dict[str, dict[str, Any]]:
    """Return the volumes that parts bring along, each by the field that declares it."""
    return {
        part.path(f"spec.volumes[{i}]"): volume
        for part in parts[1:]
        for i, volume in enumerate(part.pattern.spec.volumes)
    }


def shared_memory(parts: Sequence[Part]) -> dict[str, Any] | None:
    """Return the volume of /dev/shm; the application's size overrides a part's."""
    for part in parts:
        if part.pattern.spec.shared_memory is not None:
            source = {"medium": "Memory", "sizeLimit": part.pattern.spec.shared_memory}
            return {"name": SHARED_MEMORY, "emptyDir": source}
    return None


def with_mounts(
    container: PodContainer, shared: Sequence[Shared], memory: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the container's manifest with the mounts that it doesn't have itself."""
    written = list(container.manifest.get("volumeMounts") or ())
    names = {mount.get("name") for mount in written}
    added = [m for s in shared if s.name not in names and (m := s.mount(container)) is not None]
    if memory and SHARED_MEMORY not in names and not container.composed:
        added.append({"name": SHARED_MEMORY, "mountPath": "/dev/shm"})  # noqa: S108 (the IPC mount itself)
    return {**container.manifest, "volumeMounts": written + added} if added else container.manifest
