"""Volumes that the containers of a Pod share."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from podpatterns.api.model import Items, Model, Validation, list_map
from podpatterns.api.scalar import Label, MountPath, Quantity, RelativePath


class SharedVolumeMount(Model):
    """Mount of a shared volume in one container."""

    container: Label
    """Name of the container: the application's, a sidecar's, or one of an included part."""
    mount_path: MountPath | None = None
    """Path of the volume in this container. Default: mountPath of the volume."""
    read_only: bool = False
    """Mounts the volume read-only. Default: false."""
    sub_path: RelativePath | None = None
    """Directory of the volume to mount. Default: its root."""


class SharedVolume(Model):
    """An emptyDir that containers of a Pod share: created empty with each Pod and deleted with it."""

    validations: ClassVar[tuple[Validation, ...]] = (
        Validation(
            "has(self.mountPath) || (has(self.mounts) && size(self.mounts) > 0"
            " && self.mounts.all(m, has(m.mountPath)))",
            "give mountPath, for every container, or mounts that each have a mountPath",
            ".mountPath",
        ),
    )

    name: Label
    """Name of the volume in the Pod. An application and the parts that it includes share a volume by giving
    it the same name; each sets the paths in its own containers."""
    mount_path: MountPath | None = None
    """Path of the volume in every container, unless mounts has another one. Without it only the containers in
    mounts have the volume."""
    size_limit: Quantity | None = None
    """Maximum size of the volume, as a quantity such as 1Gi; the kubelet evicts a Pod that exceeds it.
    Default: no limit."""
    medium: Literal["Memory"] | None = None
    """Storage of the volume. Memory keeps the files in RAM, where they count against the containers' memory
    limits. Default: the node's disk."""
    mounts: Items[SharedVolumeMount] = Field(
        default=(), max_length=64, json_schema_extra=list_map("container")
    )
    """Containers that mount the volume differently. With a mountPath above, all other containers mount the
    volume there."""
