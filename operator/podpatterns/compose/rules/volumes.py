"""The rules for volumes: their names, and the mounts of each container."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from podpatterns.compose.podcontainer import PodContainer
from podpatterns.compose.rules.problem import Problem, one_of, shown
from podpatterns.compose.volumes import SHARED_MEMORY, PodVolumes, Shared


def volume_problems(
    mounted: Sequence[tuple[PodContainer, Mapping[str, Any]]], volumes: PodVolumes
) -> Iterator[Problem]:
    """Yield the problems of volumes and mounts. `mounted` are all containers with their mounts."""
    own_names, config_names, claim_names = (
        [str(v.get("name")) for v in of_one] for of_one in (volumes.own, volumes.config, volumes.claims)
    )
    of_helpers = set(config_names)
    for i, name in enumerate(own_names):
        if name in of_helpers:
            yield Problem(
                f"spec.template.spec.volumes[{i}].name",
                f'"{shown(name)}" holds a helper\'s configuration: rename it',
            )
        if volumes.memory and name == SHARED_MEMORY:
            yield Problem(
                f"spec.template.spec.volumes[{i}].name",
                f'"{name}" is the volume of spec.sharedMemory: rename it',
            )
    for i, name in enumerate(claim_names):
        if name in {*of_helpers, SHARED_MEMORY}:
            yield Problem(
                f"spec.volumeClaimTemplates[{i}].metadata.name",
                f'"{name}" is a volume that the operator adds: rename it',
            )
    taken = {
        SHARED_MEMORY: "spec.sharedMemory",
        **dict.fromkeys(config_names, "a helper's configuration"),
        **{name: f"spec.template.spec.volumes[{i}]" for i, name in enumerate(own_names)},
        **{name: f"spec.volumeClaimTemplates[{i}]" for i, name in enumerate(claim_names)},
    }
    yield from _clashes(volumes.of_parts, taken)
    containers = {container.name for container, _ in mounted}
    named = one_of(containers)
    for one in volumes.shared:
        yield from _declaration_problems(one, taken, containers, named)
        yield from _disagreements(one)
    names = {str(volume["name"]) for volume in volumes.manifests() if "name" in volume}
    there = one_of(names)
    for container, manifest in mounted:
        yield from _unknown_mounts(container, names, there)
        yield from _mounts_in_one_place(container, manifest)


def _clashes(volumes: Mapping[str, Mapping[str, Any]], taken: dict[str, str]) -> Iterator[Problem]:
    """Yield a problem for each volume of a part whose name is taken; note those that are taken by it."""
    for path, volume in volumes.items():
        name = str(volume.get("name"))
        if (other := taken.setdefault(name, path)) != path:
            yield Problem(
                f"{path}.name",
                f'"{shown(name)}" is taken by {other}: volume names are unique in a Pod, rename one',
            )


def _declaration_problems(
    shared: Shared, taken: Mapping[str, str], containers: Collection[str], named: str
) -> Iterator[Problem]:
    for owner, declared in shared.declarations.items():
        if other := taken.get(shared.name):
            yield Problem(
                f"{declared.path}.name",
                f'"{shared.name}" is already a volume of the Pod, by {other}: rename one, or leave it out '
                "here and mount it by volumeMounts",
            )
        # A part names the containers that it knows; which others there are is the application's business.
        for i, mount in enumerate(declared.volume.mounts if owner == 0 else ()):
            if mount.container not in containers:
                yield Problem(
                    f"{declared.path}.mounts[{i}].container",
                    f'no container is named "{mount.container}": {named}',
                )


def _disagreements(shared: Shared) -> Iterator[Problem]:
    for attribute, field_name in (("size_limit", "sizeLimit"), ("medium", "medium")):
        values = {
            str(value): declared.path
            for declared in shared.declarations.values()
            if (value := getattr(declared.volume, attribute)) not in (None, "")
        }
        if len(values) > 1:
            (first, _), (second, path), *_ = values.items()
            yield Problem(
                f"{path}.{field_name}",
                f'"{shared.name}" has {first} elsewhere and {second} here: make them equal',
            )


def _unknown_mounts(container: PodContainer, volumes: Collection[str], there: str) -> Iterator[Problem]:
    for i, mount in enumerate(container.manifest.get("volumeMounts") or ()):
        name = str(mount.get("name"))
        if name not in volumes:
            yield Problem(
                container.field(f"volumeMounts[{i}].name"),
                f'no volume is named "{shown(name)}": '
                "declare it in spec.sharedVolumes, spec.volumeClaimTemplates, spec.template.spec.volumes or "
                "spec.volumes of a part "
                f"({there})",
            )


def _mounts_in_one_place(container: PodContainer, manifest: Mapping[str, Any]) -> Iterator[Problem]:
    taken: dict[str, str] = {}
    for mount in manifest.get("volumeMounts") or ():
        at = str(mount.get("mountPath", "")).rstrip("/") or "/"
        name = str(mount.get("name"))
        other = taken.setdefault(at, name)
        if other != name:
            yield Problem(
                f"{container.path}.volumeMounts",
                f'volumes "{shown(other)}" and "{shown(name)}" both want {shown(at)}: '
                "mount one of them elsewhere",
            )
