"""Volumes that the containers of a Pod share."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from podpatterns.api.model import Items, Model, Validation, list_map
from podpatterns.api.scalar import Label, MountPath, Quantity, RelativePath


class SharedVolumeMount(Model):
    """How one container mounts a shared volume."""

    container: Label
    """The container's name: the application's, a sidecar's, or one of an included part."""
    mount_path: MountPath | None = None
    """Where this container finds the volume. Default: the volume's mountPath."""
    read_only: bool = False
    """The container can read the volume and not write to it. Default: false."""
    sub_path: RelativePath | None = None
    """The directory inside the volume to mount. Default: the volume's root."""


class SharedVolume(Model):
    """An emptyDir: made empty with each Pod, deleted with it."""

    validations: ClassVar[tuple[Validation, ...]] = (
        Validation(
            "has(self.mountPath) || (has(self.mounts) && size(self.mounts) > 0"
            " && self.mounts.all(m, has(m.mountPath)))",
            "give mountPath, for every container, or mounts that each have a mountPath",
            ".mountPath",
        ),
    )

    name: Label
    """The volume's name in the Pod. An application and the parts that it includes share a volume by giving it
    the same name; each says where its own containers find it."""
    mount_path: MountPath | None = None
    """Where every container finds the volume, unless mounts says otherwise for it. Left out, only the
    containers listed in mounts have the volume."""
    size_limit: Quantity | None = None
    """How much the volume may hold, as a quantity such as 1Gi; a Pod that puts more into it is evicted.
    Default: no limit."""
    medium: Literal["Memory"] | None = None
    """Memory keeps the files in RAM, where they count against the containers' memory limits.
    Default: the node's disk."""
    mounts: Items[SharedVolumeMount] = Field(
        default=(), max_length=64, json_schema_extra=list_map("container")
    )
    """Containers that mount the volume in a way of their own. With a mountPath above, containers not listed
    here mount the volume there."""
