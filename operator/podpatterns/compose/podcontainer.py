"""A container of the Pod to be composed: its manifest, the field that declares it, and its container list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

ContainerList = Literal["containers", "initContainers"]


@dataclass(frozen=True, slots=True)
class PodContainer:
    manifest: dict[str, Any]
    """The core/v1 Container."""
    path: str
    """The field that declares it."""
    container_list: ContainerList
    """The list of the Pod's spec that it goes into."""
    owner: int
    """Index of the object that declared it: 0 is the application, 1… its parts."""
    composed: bool = False
    """True for a container that the operator composes, and nobody wrote. It gets only the shared volumes that
    it needs, or that name it in their mounts."""
    default_resources: bool = False
    """True if the operator chose its resources, and nobody wrote any."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """Fields that users wrote elsewhere for fields of the container: ports[0].containerPort ->
    spec.metrics.port."""

    @property
    def name(self) -> str:
        return str(self.manifest.get("name", ""))

    @property
    def of_the_application(self) -> bool:
        """True for a container of the template, false for a helper."""
        return self.path.startswith("spec.template.")

    @property
    def keeps_running(self) -> bool:
        """False for an init container that ends before the others start, and so doesn't share their port
        space."""
        return self.container_list == "containers" or self.manifest.get("restartPolicy") == "Always"

    def field(self, name: str) -> str:
        """Return the path by which a user finds a field of the container."""
        return self.origins.get(name, f"{self.path}.{name}")


def native_sidecar(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the container as a native sidecar, which starts before the application and stops after it.

    https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/
    """
    return {**manifest, "restartPolicy": "Always"}


def in_starting_order(
    template_spec: Mapping[str, Any], helpers: Sequence[Sequence[PodContainer]]
) -> list[PodContainer]:
    """Return all containers: helpers BeforeApp, init containers, the application's, helpers WithApp.

    `helpers` are those of the application and then of each part; a part stands after those that it includes.
    Those of parts come first, since the application's own may rely on them.
    """
    ordered = [c for of_one in (*helpers[1:], helpers[0]) for c in of_one]

    def own(name: ContainerList) -> Iterator[PodContainer]:
        for i, manifest in enumerate(template_spec.get(name) or ()):
            yield PodContainer(manifest, f"spec.template.spec.{name}[{i}]", name, 0)

    return [
        *(c for c in ordered if c.container_list == "initContainers"),
        *own("initContainers"),
        *own("containers"),
        *(c for c in ordered if c.container_list == "containers"),
    ]
