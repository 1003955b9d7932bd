"""Output of data: YAML, JSON and names, as kubectl writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

WIDTH = 10_000
"""Characters of a line of YAML: none is folded."""


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Text of several lines stays so, and nothing refers to something above."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 (PyYAML's own)
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def written(data: Mapping[str, Any] | Sequence[Any], output: str) -> str:
    """Return one value as YAML or JSON."""
    if output == "json":
        return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, width=WIDTH, allow_unicode=True)
    return text


def manifests(objects: Sequence[Mapping[str, Any]], output: str) -> str:
    """Return objects as YAML documents, as one JSON object (a List of several), or as their names."""
    if output == "name":
        return "".join(f"{_name(obj)}\n" for obj in objects)
    if output == "json":
        several = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        return written(objects[0] if len(objects) == 1 else several, output)
    return "---\n".join(written(obj, output) for obj in objects)


def _name(obj: Mapping[str, Any]) -> str:
    group = str(obj["apiVersion"]).rpartition("/")[0]
    meta = obj["metadata"]
    name = meta.get("name") or f"{meta['generateName']}*"
    return f"{obj['kind'].lower()}{f'.{group}' if group else ''}/{name}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows of columns; the last one is of any width."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = (
        "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (header, *rows)
    )
    return "".join(f"{line}\n" for line in lines)
