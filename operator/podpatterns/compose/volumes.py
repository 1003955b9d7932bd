"""Shared volumes and shared memory: emptyDirs, and who mounts them where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from podpatterns.api import SharedVolume
from podpatterns.compose.member import Member
from podpatterns.compose.part import Part
from podpatterns.compose.problem import Problem, one_of

SHARED_MEMORY = "shared-memory"


@dataclass(slots=True)
class Shared:
    """One emptyDir of the Pod and every declaration of it.

    A part and the application that includes it share a volume by giving it one name; each says where its own
    containers see it.
    """

    name: str
    declarations: dict[int, tuple[SharedVolume, str]] = field(default_factory=dict)

    def manifest(self) -> dict[str, Any]:
        source: dict[str, Any] = {}
        for volume, _ in self.declarations.values():
            if volume.medium:
                source["medium"] = volume.medium
            if volume.size_limit is not None:
                source["sizeLimit"] = volume.size_limit
        return {"name": self.name, "emptyDir": source}

    def mount(self, member: Member) -> dict[str, Any] | None:
        """The volumeMount for a container, or None where it gets none.

        The application's word about a container counts first, then that of the object which declared the
        container, then the first declaration.
        """
        for owner in (0, member.owner):
            if owner in self.declarations:
                volume, _ = self.declarations[owner]
                if any(m.container == member.name for m in volume.mounts):
                    return _mount(volume, member.name)
        if member.composed:
            return None
        volume, _ = self.declarations.get(member.owner) or next(iter(self.declarations.values()))
        return _mount(volume, member.name)


def shared_volumes(parts: Sequence[Part]) -> list[Shared]:
    """The Pod's shared volumes, the application's first."""
    shared: dict[str, Shared] = {}
    for part in parts:
        for i, volume in enumerate(part.pattern.spec.shared_volumes):
            path = part.path(f"spec.sharedVolumes[{i}]")
            shared.setdefault(volume.name, Shared(volume.name)).declarations[part.owner] = (volume, path)
    return list(shared.values())


def shared_memory(parts: Sequence[Part]) -> dict[str, Any] | None:
    """The volume behind /dev/shm; the application's size wins over a part's."""
    for part in parts:
        if part.pattern.spec.shared_memory is not None:
            source = {"medium": "Memory", "sizeLimit": part.pattern.spec.shared_memory}
            return {"name": SHARED_MEMORY, "emptyDir": source}
    return None


def with_mounts(member: Member, shared: Sequence[Shared], memory: dict[str, Any] | None) -> dict[str, Any]:
    """The container with the mounts that it did not write itself."""
    written = list(member.container.get("volumeMounts") or ())
    names = {mount.get("name") for mount in written}
    added = [m for s in shared if s.name not in names and (m := s.mount(member)) is not None]
    if memory and SHARED_MEMORY not in names and not member.composed:
        added.append({"name": SHARED_MEMORY, "mountPath": "/dev/shm"})  # noqa: S108 (the IPC mount itself)
    return {**member.container, "volumeMounts": written + added} if added else member.container


def volume_problems(
    all_members: Sequence[Member],
    shared: Sequence[Shared],
    memory: dict[str, Any] | None,
    own: Sequence[Mapping[str, Any]],
    config: Sequence[Mapping[str, Any]],
) -> Iterator[Problem]:
    """`own` are spec.template.spec.volumes, `config` those of the helpers' configuration."""
    containers = [m.name for m in all_members]
    own_names, config_names = ([str(v.get("name")) for v in volumes] for volumes in (own, config))
    for i, name in enumerate(own_names):
        if name in config_names:
            yield Problem(
                f"spec.template.spec.volumes[{i}].name",
                f'"{name}" holds a helper\'s configuration: rename it',
            )
    for volume in shared:
        for owner, (declared, path) in volume.declarations.items():
            if volume.name in (*own_names, *config_names, SHARED_MEMORY):
                yield Problem(f"{path}.name", f'"{volume.name}" is already a volume of the Pod: rename one')
            # A part names the containers that it knows; which others there are is the application's business.
            for i, mount in enumerate(declared.mounts):
                if mount.container not in containers and owner == 0:
                    yield Problem(
                        f"{path}.mounts[{i}].container",
                        f'no container is named "{mount.container}": {one_of(containers)}',
                    )
        yield from _disagreements(volume)
    volumes = [*own_names, *(s.name for s in shared), *([SHARED_MEMORY] if memory else []), *config_names]
    for member in all_members:
        yield from _mount_problems(member, volumes, shared, memory)


def _disagreements(volume: Shared) -> Iterator[Problem]:
    for attribute, field_name in (("size_limit", "sizeLimit"), ("medium", "medium")):
        values = {
            str(value): path
            for declared, path in volume.declarations.values()
            if (value := getattr(declared, attribute)) not in (None, "")
        }
        if len(values) > 1:
            (first, _), (second, path), *_ = values.items()
            yield Problem(
                f"{path}.{field_name}",
                f'"{volume.name}" has {first} elsewhere and {second} here: make them equal',
            )


def _mount_problems(
    member: Member, volumes: Sequence[str], shared: Sequence[Shared], memory: dict[str, Any] | None
) -> Iterator[Problem]:
    written = member.container.get("volumeMounts") or ()
    for i, mount in enumerate(written):
        if mount.get("name") not in volumes:
            yield Problem(
                member.field(f"volumeMounts[{i}].name"),
                f'no volume is named "{mount.get("name")}": '
                f"declare it in spec.sharedVolumes or spec.template.spec.volumes ({one_of(volumes)})",
            )
    taken: dict[str, str] = {}
    for mount in with_mounts(member, shared, memory).get("volumeMounts") or ():
        at = str(mount.get("mountPath", "")).rstrip("/") or "/"
        other = taken.setdefault(at, mount["name"])
        if other != mount["name"]:
            yield Problem(
                f"{member.path}.volumeMounts",
                f'volumes "{other}" and "{mount["name"]}" both want {at}: mount one of them elsewhere',
            )


def _mount(volume: SharedVolume, container: str) -> dict[str, Any] | None:
    own = next((m for m in volume.mounts if m.container == container), None)
    path = (own and own.mount_path) or volume.mount_path
    if path is None:
        return None
    mount: dict[str, Any] = {"name": volume.name, "mountPath": path}
    if own and own.read_only:
        mount["readOnly"] = True
    if own and own.sub_path:
        mount["subPath"] = own.sub_path
    return mount
