"""The rules for volumes: their names, and the mounts of each container."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from podpatterns.compose.podcontainer import PodContainer
from podpatterns.compose.rules.problem import Problem, one_of, shown
from podpatterns.compose.volumes import SHARED_MEMORY, Shared


def volume_problems(
    mounted: Sequence[tuple[PodContainer, Mapping[str, Any]]],
    shared: Sequence[Shared],
    memory: dict[str, Any] | None,
    own: Sequence[Mapping[str, Any]],
    config: Sequence[Mapping[str, Any]],
    claims: Sequence[Mapping[str, Any]],
) -> Iterator[Problem]:
    """Yield the problems of volumes and mounts.

    `mounted` are all containers with their mounts, `own` are spec.template.spec.volumes, `config` those of
    the helpers' configuration, `claims` those of spec.volumeClaimTemplates.
    """
    own_names, config_names, claim_names = (
        [str(v.get("name")) for v in volumes] for volumes in (own, config, claims)
    )
    of_helpers = set(config_names)
    for i, name in enumerate(own_names):
        if name in of_helpers:
            yield Problem(
                f"spec.template.spec.volumes[{i}].name",
                f'"{shown(name)}" holds a helper\'s configuration: rename it',
            )
    for i, name in enumerate(claim_names):
        if name in {*of_helpers, SHARED_MEMORY}:
            yield Problem(
                f"spec.volumeClaimTemplates[{i}].metadata.name",
                f'"{name}" is a volume that the operator adds: rename it',
            )
    others = {*own_names, *config_names, *claim_names, SHARED_MEMORY}
    containers = {container.name for container, _ in mounted}
    named = one_of(containers)
    for one in shared:
        yield from _declaration_problems(one, others, containers, named)
        yield from _disagreements(one)
    volumes = {
        *own_names,
        *config_names,
        *claim_names,
        *(s.name for s in shared),
        *([SHARED_MEMORY] if memory else []),
    }
    there = one_of(volumes)
    for container, manifest in mounted:
        yield from _unknown_mounts(container, volumes, there)
        yield from _mounts_in_one_place(container, manifest)


def _declaration_problems(
    shared: Shared, others: Collection[str], containers: Collection[str], named: str
) -> Iterator[Problem]:
    for owner, declared in shared.declarations.items():
        if shared.name in others:
            yield Problem(
                f"{declared.path}.name", f'"{shared.name}" is already a volume of the Pod: rename one'
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
                "declare it in spec.sharedVolumes, spec.volumeClaimTemplates or spec.template.spec.volumes "
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
