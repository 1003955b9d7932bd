"""Pieces of CEL, as Kubernetes 1.35 reads it in policies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a policy, read as variables.<name>."""

    name: str
    expression: str


def text(value: str) -> str:
    """Return a string literal."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def texts(values: Iterable[str]) -> str:
    return f"[{', '.join(map(text, values))}]"


def spec_list(path: str) -> str:
    """Return a list of the spec, empty where it is missing or what holds it: template.spec.containers."""
    return f"object.spec.?{'.?'.join(path.split('.'))}.orValue([])"


def record(**fields: str) -> str:
    """Return a map of values of several types, which CEL's checker lets stand together only as dyn."""
    return "{" + ", ".join(f"'{name}': dyn({value})" for name, value in fields.items()) + "}"


def indexed(path: str, index: str, rest: str = "") -> str:
    """Return the text of a path to an item: spec.sidecars[0].name."""
    return f"'{path}[' + string({index}) + ']{rest}'"


def clause(condition: str, told: str) -> str:
    """Return a list with what is told, or an empty one."""
    return f"({condition} ? [{told}] : [])"


def later(items: str, keys: str, told: str, *, item: str, condition: str = "true") -> str:
    """Return what is told of each item whose key an earlier one has, the first of which is `o`."""
    first = f"{keys}.indexOf({keys}[i])"
    return (
        f"{items}.transformList(i, {item}, {first} < i, [{items}[{first}]].filter(o, {condition})"
        f".map(o, {told})).flatten()"
    )
