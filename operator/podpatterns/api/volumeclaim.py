"""PersistentVolumeClaims of Stable Pods, in the form that StatefulSet has."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from podpatterns.api.bounds import LABELS
from podpatterns.api.effect import Policy, ShapesClaim, ShapesPod
from podpatterns.api.kubernetes import PersistentVolumeClaimSpec
from podpatterns.api.model import Model
from podpatterns.api.scalar import Label

LabelValue = Annotated[str, Field(max_length=63)]
AnnotationValue = Annotated[str, Field(max_length=4096)]
Labels = Annotated[dict[str, LabelValue], Field(max_length=LABELS)]
Annotations = Annotated[dict[str, AnnotationValue], Field(max_length=LABELS)]


class VolumeClaimMetadata(Model):
    """Metadata of the claims."""

    name: ShapesPod[Label]
    """Name of the volume in the Pod, and the beginning of the names of claims: <name>-<Pod>."""
    labels: ShapesClaim[Labels] = Field(default_factory=dict)
    """Labels of the claims, besides those of podpatterns.dev."""
    annotations: ShapesClaim[Annotations] = Field(default_factory=dict)
    """Annotations of the claims."""


class VolumeClaimTemplate(Model):
    """A claim for each Pod, called <name>-<Pod>."""

    api_version: ShapesClaim[Literal["v1"] | None] = None
    """Version of the claims' API: v1. Need not be given."""
    kind: ShapesClaim[Literal["PersistentVolumeClaim"] | None] = None
    """Kind of the claims: PersistentVolumeClaim. Need not be given."""
    metadata: VolumeClaimMetadata
    """Name, labels and annotations of the claims."""
    spec: ShapesClaim[PersistentVolumeClaimSpec]
    """Spec of the claims, as a core/v1 PersistentVolumeClaimSpec. A larger resources.requests.storage also
    enlarges claims that are there, where their StorageClass allows it. Any other change is for claims to
    come."""


class RetentionPolicy(Model):
    """Claims to delete with the Pods, or with the object."""

    when_deleted: Policy[Literal["Retain", "Delete"]] = "Retain"
    """Claims of an object that is deleted. Retain: they stay, and another object of its name finds them.
    Delete: the garbage collector deletes them after the Pods. Default: Retain."""
    when_scaled: Policy[Literal["Retain", "Delete"]] = "Retain"
    """Claims of Pods that scaling takes away. Retain: they stay, and a Pod of that name finds them later.
    Delete: the garbage collector deletes them after the Pod. Default: Retain."""
