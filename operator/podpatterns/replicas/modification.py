"""Modification of a running Pod by somebody else: another image of a container, and who wrote it.

It is read from `metadata.managedFields`, where the API server keeps who set a field last. Images themselves
can't tell: a webhook may have replaced those that the operator asked for, and what it does counts as the
operator's. Resources are left out, as others may resize Pods.
https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from sys import intern
from typing import Any, NamedTuple

from podpatterns.api.text import shown
from podpatterns.replicas.change import CONTAINER_LISTS
from podpatterns.replicas.reading import json_mapping, mapping, mappings, text

FIELD_MANAGER = "podpatterns-operator"
"""Name of the operator in managedFields and the audit log."""
KEPT = 20
"""Modifications that a record keeps."""
TEXT_LENGTH = 256
"""Bytes of an image or another name in a record."""


class Modification(NamedTuple):
    container: str
    image: str
    """The image that the Pod asks for now."""
    manager: str
    """Field manager of whoever wrote it."""


def modifications(pod: Mapping[str, Any]) -> tuple[Modification, ...]:
    """Return the containers of a Pod of the operator's making whose images others have set."""
    entries = mappings(mapping(pod.get("metadata")).get("managedFields"))
    others = [e for e in entries if not e.get("subresource") and e.get("manager") != FIELD_MANAGER]
    setters = {key: text(e.get("manager")) for e in others for key in _written(e, "f:image")}
    if not setters:
        return ()
    operators = [e for e in entries if e.get("manager") == FIELD_MANAGER]
    made = {key for e in operators for key in _written(e, "f:name")}
    kept = {key for e in operators for key in _written(e, "f:image")}
    images = {
        (name, text(c.get("name"))): text(c.get("image"))
        for name in CONTAINER_LISTS
        for c in mappings(mapping(pod.get("spec")).get(name))
    }
    found = [(key, setters[key]) for key in images if key in setters.keys() & made - kept]
    return tuple(
        Modification(*(intern(shown(said, TEXT_LENGTH)) for said in (key[1], images[key], manager)))
        for key, manager in found[:KEPT]
    )


def _written(entry: Mapping[str, Any], field: str) -> Iterator[tuple[str, str]]:
    """Yield the list and the name of each container whose field an entry of managedFields lists."""
    spec = mapping(mapping(entry.get("fieldsV1")).get("f:spec"))
    for name in CONTAINER_LISTS:
        for key, fields in mapping(spec.get(f"f:{name}")).items():
            if field in mapping(fields):
                yield name, text(json_mapping(key.removeprefix("k:")).get("name"))
