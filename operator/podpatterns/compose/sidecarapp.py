"""PodFragment of a SidecarApp: the helpers, as their author wrote them."""

from __future__ import annotations

from collections.abc import Iterator

from podpatterns.api.sidecarapp import SidecarAppSpec
from podpatterns.compose.part import Part
from podpatterns.compose.podcontainer import PodContainer, native_sidecar
from podpatterns.compose.podfragment import PodFragment
from podpatterns.compose.revision import shaping_fields


def sidecars(spec: SidecarAppSpec, part: Part) -> PodFragment:
    return PodFragment(
        shape=shaping_fields(spec, SidecarAppSpec),
        helpers=tuple(_containers(spec, part)),
    )


def _containers(spec: SidecarAppSpec, part: Part) -> Iterator[PodContainer]:
    for i, sidecar in enumerate(spec.sidecars):
        path = part.path(f"spec.sidecars[{i}]")
        if sidecar.order == "BeforeApp":
            yield PodContainer(native_sidecar(sidecar.container), path, "initContainers", part.owner)
        else:
            yield PodContainer(dict(sidecar.container), path, "containers", part.owner)
