"""The fields of a kind, in Kustomize's notation: spec/template/spec/containers[]/image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from podpatterns.api.crd.definition import object_schema
from podpatterns.api.names import Kind


class Field(NamedTuple):
    path: str
    name: str
    schema: Mapping[str, Any]
    """Of a list, that of its items."""

    @property
    def properties(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.schema.get("properties", {})
        return found


def fields(kind: Kind) -> Iterator[Field]:
    """Yield every field of the kind's spec, each with its path; [] stands behind a list."""
    yield from _fields("spec", object_schema(kind)["properties"]["spec"])


def _fields(path: str, schema: Mapping[str, Any]) -> Iterator[Field]:
    for name, of in schema.get("properties", {}).items():
        listed = "items" in of
        field = Field(f"{path}/{name}{'[]' if listed else ''}", name, of["items"] if listed else of)
        yield field
        yield from _fields(field.path, field.schema)
