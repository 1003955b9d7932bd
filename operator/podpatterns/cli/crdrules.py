"""The rules of the CRDs, which the API server checks beyond the form of fields, evaluated without a server.

They are the very CEL expressions of the CRDs, read by an engine of CEL's makers: no second set of checks that
could say otherwise than the API server.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from podpatterns.api import FieldError, Pattern
from podpatterns.cli.error import without_check
from podpatterns.cli.schema import object_schema_of

_TRANSITION = re.compile(r"\boldSelf\b")
"""Sign of a rule about a change, which can't be evaluated without the object before it."""

_WORDS = {"namespace"}
"""Reserved words of CEL that are fields of ours."""


def broken_rules(app: Pattern) -> list[FieldError]:
    """Return the rules that the object breaks, each with the field concerned."""
    return list(_broken(object_schema_of(app.kind), app.manifest(), ""))


def _broken(schema: Mapping[str, Any], value: Any, path: str) -> Iterator[FieldError]:
    for rule in schema.get("x-kubernetes-validations", ()):
        if not _TRANSITION.search(rule["rule"]) and not _holds(rule["rule"], value):
            blamed = f"{path}{rule.get('fieldPath', '')}".removeprefix(".")
            yield FieldError(blamed, rule["message"])
    if isinstance(value, Mapping):
        properties, others = schema.get("properties", {}), schema.get("additionalProperties", {})
        for name, inner in value.items():
            yield from _broken(properties.get(name, others), inner, f"{path}.{name}".removeprefix("."))
    elif isinstance(value, list):
        yield from _duplicates(schema, value, path)
        for i, inner in enumerate(value):
            yield from _broken(schema.get("items", {}), inner, f"{path}[{i}]")


def _duplicates(schema: Mapping[str, Any], items: list[Any], path: str) -> Iterator[FieldError]:
    """Yield the items of a list-map with the same keys, and the equal items of a set."""
    keys = schema.get("x-kubernetes-list-map-keys", ())
    if not keys and schema.get("x-kubernetes-list-type") != "set":
        return
    seen: set[str] = set()
    for i, item in enumerate(items):
        known = {k: item.get(k) for k in keys} if keys else item
        key = json.dumps(known, sort_keys=True)
        if key in seen:
            told = ", ".join(f"{k} {v}" for k, v in known.items()) if keys else known
            yield FieldError(f"{path}[{i}]", f"there is another one with {told}")
        seen.add(key)


def _holds(expression: str, value: Any) -> bool:
    return _program(expression).eval(data={"self": _escaped(value)}).value() is True


def _escaped(value: Any) -> Any:
    """Return the value with its fields as the API server names them to CEL, which has words of its own:
    https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules
    """
    if isinstance(value, Mapping):
        return {f"__{name}__" if name in _WORDS else name: _escaped(of) for name, of in value.items()}
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    return value


@cache
def _program(expression: str) -> Any:
    return _engine().compile(expression)


@cache
def _engine() -> Any:
    try:
        # 50 MB that only this needs, and the operator does not.
        from cel_expr_python import cel  # noqa: PLC0415
    except ImportError:
        raise without_check() from None
    return cel.NewEnv(variables={"self": cel.Type.DYN})
