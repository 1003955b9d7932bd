"""YAML as kubectl reads it: what it sends to the API server is JSON.

PyYAML follows YAML 1.1 further than kubectl does: to it 2026-01-31 is a date and 12:30 a number in base 60,
where kubectl sends texts.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

MOST_VALUES = 300_000
"""Values of a document with its aliases written out: more than a request has room for."""
DEPTH = 200
"""Levels of a document; no field of an object lies so deep."""
INT64 = range(-(2**63), 2**63)

INTEGER = re.compile(r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*)")
FLOAT = re.compile(
    r"[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
TAG = "tag:yaml.org,2002:"


class NoJson(Exception):
    """A document that can't be sent as JSON, and why."""


class _Loader(yaml.SafeLoader):
    """PyYAML's own, as libyaml's ends the process where a document is nested too deeply."""


_OTHER = [f"{TAG}{name}" for name in ("timestamp", "value", "int", "float")]
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _OTHER]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _name, _pattern in (("int", INTEGER), ("float", FLOAT)):
    _Loader.add_implicit_resolver(
        f"{TAG}{_name}", re.compile(f"(?:{_pattern.pattern})$"), list("-+.0123456789")
    )


def documents(text: str) -> list[Any]:
    """Return the documents of a file as JSON values, aliases written out. JSON is YAML.

    Raises yaml.YAMLError for what is no YAML, and NoJson for what is no JSON.
    """
    try:
        loaded = list(yaml.load_all(text, _Loader))
    except RecursionError:
        raise NoJson("it is nested too deeply") from None
    except ValueError as error:
        raise NoJson(f"a value can't be read: {error}") from None
    return [_Writer().json(document, 0) for document in loaded]


class _Writer:
    """Writer of one document."""

    def __init__(self) -> None:
        self._values = 0

    def json(self, value: Any, depth: int) -> Any:
        self._values += 1
        if self._values > MOST_VALUES:
            raise NoJson(f"it has more than {MOST_VALUES} values, aliases written out")
        if depth > DEPTH:
            raise NoJson("it is nested too deeply")
        if isinstance(value, dict):
            return {_key(key): self.json(inner, depth + 1) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.json(inner, depth + 1) for inner in value]
        return _scalar(value)


def _key(key: object) -> str:
    if isinstance(key, bool):
        return str(key).lower()
    if isinstance(key, str | int | float):
        return str(_scalar(key))
    raise NoJson(f"a key is a {type(key).__name__}: make it a text")


def _scalar(value: object) -> object:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        # The half of a surrogate pair is no text in UTF-8; the server puts the same in its place.
        return re.sub("[\ud800-\udfff]", "\ufffd", value)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, int):
        return value if value in INT64 else _float(value)
    if isinstance(value, float):
        return int(value) if value.is_integer() and int(value) in INT64 else value
    raise NoJson(f"a value is a {type(value).__name__}, which JSON does not know")


def _float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        raise NoJson("a number is too large") from None
