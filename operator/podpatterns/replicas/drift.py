"""Drift: Pods that are not what their revision says because somebody changed them, as a condition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from podpatterns.api.conditions import ConditionType, Reason
from podpatterns.api.text import MESSAGE_LENGTH, listed, shown
from podpatterns.replicas.change import CONTAINER_LISTS
from podpatterns.replicas.condition import Condition
from podpatterns.replicas.modification import TEXT_LENGTH, Modification
from podpatterns.replicas.pod import Pod
from podpatterns.replicas.reading import mapping, mappings, text

NAMED = 20
"""Modifications that the condition names."""


class Drift(NamedTuple):
    pod: str
    modification: Modification

    def __str__(self) -> str:
        container, image, manager = self.modification
        return f"{self.pod}: container {container} has the image {image}, set by {manager or 'somebody'}"


def drift(pods: Sequence[Pod], templates: Mapping[str, Any]) -> list[Drift]:
    """Return the modifications of live Pods, in the order of their names.

    `templates` are those of the revisions that are known: an image that the Pod's own has too is none.
    """
    return [
        Drift(pod.name, modification)
        for pod in sorted((p for p in pods if p.modified and p.live), key=lambda p: p.name)
        for modification in pod.modified
        if _image(templates.get(pod.revision), modification.container) != modification.image
    ]


def pods_modified(found: Sequence[Drift]) -> Iterator[Condition]:
    """Yield the condition PodsModified only where it is True."""
    if found:
        message = listed(found, NAMED, MESSAGE_LENGTH, "; ")
        yield Condition(ConditionType.PODS_MODIFIED, True, Reason.IMAGE_MODIFIED, message)


def _image(template: Any, container: str) -> str | None:
    spec = mapping(mapping(template).get("spec"))
    written = (c for name in CONTAINER_LISTS for c in mappings(spec.get(name)) if c.get("name") == container)
    found = next(written, None)
    return shown(text(found.get("image")), TEXT_LENGTH) if found else None
