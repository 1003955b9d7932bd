"""The form of an object, judged by the schema of its CRD, as the API server judges it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from podpatterns.api import KINDS, FieldError
from podpatterns.api.invalid import first_errors
from podpatterns.api.text import shown
from podpatterns.cli.error import without_check

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

VALUE_LENGTH = 60
"""Bytes of a value that a message shows."""
OF_THE_SERVER = ("metadata", "status")
"""Fields of which a manifest may say more than the schema knows."""


def malformed(obj: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return the fields of the object, which is of one of our kinds, that its schema refuses."""
    errors = sorted(_validator(str(obj["kind"])).iter_errors(without_nulls(obj)), key=_place)
    return first_errors(_told(errors))


@cache
def object_schema_of(kind: str) -> dict[str, Any]:
    """Return the schema of a kind, as it is in its CRD."""
    # Slow to import, as it brings along all types of Kubernetes.
    from podpatterns.api.crd.definition import object_schema  # noqa: PLC0415

    return next(object_schema(known) for known in KINDS if known.kind == kind)


@cache
def _validator(kind: str) -> Draft202012Validator:
    try:
        # Only this needs it, and the operator does not.
        from jsonschema import Draft202012Validator  # noqa: PLC0415
    except ImportError:
        raise without_check() from None
    schema = object_schema_of(kind)
    lenient = {name: node for name, node in schema["properties"].items() if name in OF_THE_SERVER}
    strict = _strict(schema)
    return Draft202012Validator({**strict, "properties": {**strict["properties"], **lenient}})


def _strict(node: Any) -> Any:
    """Return the schema with unknown fields refused, which `kubectl apply` has the server do."""
    if not isinstance(node, Mapping):
        return node
    known = {**node}
    if "properties" in node:
        known["properties"] = {name: _strict(inner) for name, inner in node["properties"].items()}
        if not node.get("x-kubernetes-preserve-unknown-fields"):
            known.setdefault("additionalProperties", False)
    for name in ("items", "additionalProperties"):
        if name in known:
            known[name] = _strict(known[name])
    return known


def without_nulls(value: Any) -> Any:
    """Return the value without fields that are null, which the server drops."""
    if isinstance(value, Mapping):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [without_nulls(inner) for inner in value]
    return value


def _place(error: ValidationError) -> list[str]:
    return [f"{step:05}" if isinstance(step, int) else step for step in error.absolute_path]


def _told(errors: Iterable[ValidationError]) -> Iterator[FieldError]:
    """Yield what is wrong, without a field that is missing because its name is misspelt."""
    misspelt: set[tuple[str, str]] = set()
    missing: list[tuple[str, str]] = []
    for error in errors:
        path = _path(error.absolute_path)
        if error.validator == "additionalProperties":
            known = error.schema["properties"]
            for name in error.instance.keys() - known.keys():
                close = difflib.get_close_matches(str(name), known, n=1)
                misspelt.update((path, meant) for meant in close)
                meant = f": did you mean {close[0]}?" if close else ""
                yield FieldError(f"{path}.{name}".removeprefix("."), f"unknown field{meant}")
        elif error.validator == "required":
            missing += [(path, name) for name in error.validator_value if name not in error.instance]
        else:
            yield FieldError(path or "-", _message(error))
    for path, name in dict.fromkeys(missing):
        if (path, name) not in misspelt:
            yield FieldError(f"{path}.{name}".removeprefix("."), "required")


def _message(error: ValidationError) -> str:
    words = _MESSAGES.get(str(error.validator))
    return words(error) if words else error.message


def _type(error: ValidationError) -> str:
    if error.schema.get("x-kubernetes-int-or-string"):
        return f"must be an integer or a string, not {_value(error)}"
    return f"must be {_TYPES.get(error.validator_value, error.validator_value)}, not {_value(error)}"


def _enum(error: ValidationError) -> str:
    values = [str(value) for value in error.validator_value]
    close = difflib.get_close_matches(str(error.instance), values, n=1)
    meant = f": did you mean {close[0]}?" if close else ""
    return f"{_value(error)} is none of {', '.join(values)}{meant}"


def _pattern(error: ValidationError) -> str:
    if error.schema.get("x-kubernetes-int-or-string"):
        return f"{_value(error)} is no quantity such as 500m or 64Mi"
    return f"{_value(error)} does not match {error.validator_value}"


_TYPES = {
    "object": "a map",
    "array": "a list",
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
}
_MESSAGES: dict[str, Callable[[ValidationError], str]] = {
    "type": _type,
    "anyOf": _type,
    "enum": _enum,
    "pattern": _pattern,
    "minimum": lambda e: f"must be at least {e.validator_value}, not {_value(e)}",
    "maximum": lambda e: f"must be at most {e.validator_value}, not {_value(e)}",
    "minLength": lambda e: f"needs at least {e.validator_value} characters",
    "maxLength": lambda e: f"has {len(e.instance)} characters: at most {e.validator_value} are possible",
    "minItems": lambda e: f"needs at least {e.validator_value} item{'' if e.validator_value == 1 else 's'}",
    "maxItems": lambda e: f"has {len(e.instance)} items: at most {e.validator_value} are possible",
    "maxProperties": lambda e: f"has {len(e.instance)} fields: at most {e.validator_value} are possible",
}


def _value(error: ValidationError) -> str:
    value = error.instance
    if isinstance(value, Mapping | list):
        return "a map" if isinstance(value, Mapping) else "a list"
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
    return f'"{shown(text, VALUE_LENGTH)}"' if isinstance(value, str) else text


def _path(steps: Iterable[str | int]) -> str:
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return path.removeprefix(".")
