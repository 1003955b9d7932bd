"""Places in an object where a container, a volume or the name of a Secret can stand, found in the schema of
the CRDs.

So a field to come has its place by being in a model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from podpatterns.api.crd.definition import object_schema
from podpatterns.api.names import KINDS

LIST = "[]"

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Places:
    """Paths of fields, such as spec.upstreams[].local.container; those of an element of a list end in []."""

    containers: tuple[str, ...]
    """Whole containers, as people write them."""
    fragments: tuple[str, ...]
    """Fields that are merged into a container of the operator's."""
    volumes: tuple[str, ...]
    """Volumes of Pods."""
    secrets: tuple[str, ...]
    """Names of Secrets outside containers."""
    container_secrets: tuple[str, ...]
    """Names of Secrets in a container."""


def places() -> Places:
    """Return the places in all kinds."""
    containers: dict[str, Schema] = {}
    volumes: dict[str, None] = {}
    secrets: dict[str, None] = {}
    for kind in KINDS:
        for path, schema in _fields("spec", object_schema(kind)["properties"]["spec"]):
            if any(path.startswith(f"{outer}.") for outer in (*containers, *secrets)):
                continue
            if _is_container(schema):
                containers[path] = schema
            elif _is_volume(schema):
                volumes[path] = None
            elif _names_secret(path):
                secrets[path] = None
    inner = {p: None for c in containers.values() for p, _ in _fields("", c) if _names_secret(p)}
    return Places(
        containers=tuple(path for path, schema in containers.items() if "required" in schema),
        fragments=tuple(path for path, schema in containers.items() if "required" not in schema),
        volumes=tuple(volumes),
        secrets=_outermost(secrets),
        container_secrets=_outermost(inner),
    )


def _fields(path: str, schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Yield every field below, the outer ones first; of a list its elements."""
    for name, field in schema.get("properties", {}).items():
        here, value = f"{path}.{name}" if path else name, field
        if "items" in field:
            here, value = f"{here}{LIST}", field["items"]
        yield here, value
        yield from _fields(here, value)


def _is_container(schema: Schema) -> bool:
    properties: Schema = schema.get("properties", {})
    return "image" in properties and "securityContext" in properties


def _is_volume(schema: Schema) -> bool:
    properties: Schema = schema.get("properties", {})
    return {"emptyDir", "hostPath"} <= properties.keys()


def _names_secret(path: str) -> bool:
    return "secret" in path.rpartition(".")[2].lower()


def _outermost(paths: Mapping[str, None]) -> tuple[str, ...]:
    return tuple(p for p in paths if not any(p.startswith(f"{outer}.") for outer in paths))


def occurrences(root: str, path: str, at: str, complaint: str, where: str = "") -> str:
    """Return a CEL expression for a list of texts: each place where the field stands, and the complaint.

    The field is the one at `path` of `root`, a CEL expression. `at` is one for the text of root's own place;
    it is empty for the whole object. `where` is a condition on the field's value, which it calls `it`.
    """
    return _occurrences(root, path, f"{at} + '." if at else "'", 0, f" {complaint}'", where)


def _occurrences(root: str, path: str, at: str, depth: int, end: str, where: str) -> str:
    head, _, rest = path.partition(LIST)
    value = "".join([root, *(f".?{name}" for name in head.split("."))])
    if head == path:
        return f"({_stands(value, where)} ? [{at}{head}{end}] : [])"
    index, item = f"i{depth}", f"x{depth}" if rest else "it"
    here, items = f"{at}{head}[' + string({index}) + ']", f"{value}.orValue([])"
    if LIST in rest:
        inner = _occurrences(item, rest.removeprefix("."), f"{here}.", depth + 1, end, where)
        return f"{items}.transformList({index}, {item}, {inner}).flatten()"
    condition = _stands(item + rest.replace(".", ".?"), where) if rest else where or "true"
    return f"{items}.transformList({index}, {item}, {condition}, {here}{rest}{end})"


def _stands(value: str, where: str) -> str:
    """Return a CEL expression that is true if the optional value is there, and the condition holds."""
    return f"{value}.optMap(it, {where}).orValue(false)" if where else f"{value}.hasValue()"
