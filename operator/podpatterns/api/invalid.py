"""InvalidObject: the errors of an object that doesn't match the schema of its kind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from pydantic import ValidationError

from podpatterns.api.text import MESSAGE_LENGTH, shown

ERRORS_KEPT = 20
"""Errors of one object to keep: they go into its status, Events and the operator's memory."""
PATH_LENGTH = 256
"""Bytes of its path, which may contain a name that people gave."""
ERRORS_COUNTED = 1000
"""Beyond these nobody wants to know how many there are, and the search for them ends."""


@dataclass(frozen=True, slots=True)
class FieldError:
    path: str
    """The field, as `kubectl explain` names it: spec.sharedVolumes[0].mounts[1].container."""
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


Error = TypeVar("Error", bound=FieldError)


def first_errors(errors: Iterable[Error]) -> tuple[Error, ...]:
    """The first of the errors, each cut to its length. Where there are more, the last one says how many."""
    found = iter(errors)
    kept = [_cut(error) for _, error in zip(range(ERRORS_KEPT), found, strict=False)]
    more = sum(1 for _ in zip(range(ERRORS_COUNTED), found, strict=False))
    if more:
        # The last one's place is the counter's, which counts it too.
        count = f"more than {more}" if more == ERRORS_COUNTED else f"{more + 1}"
        kept[-1] = replace(kept[-1], path="spec", message=f"{count} problems more: mend these first")
    return tuple(kept)


def _cut(error: Error) -> Error:
    path = shown(error.path, PATH_LENGTH)
    return replace(error, path=path, message=shown(error.message, MESSAGE_LENGTH - PATH_LENGTH - len(": ")))


class InvalidObject(ValueError):
    """An object has fields that are missing, unknown or of the wrong form."""

    def __init__(self, errors: Iterable[FieldError]) -> None:
        self.errors = first_errors(errors)
        super().__init__("; ".join(map(str, self.errors)))

    @classmethod
    def of(cls, error: ValidationError) -> InvalidObject:
        return cls(
            FieldError(_path(e["loc"]), _MESSAGES.get(e["type"], e["msg"]))
            for e in error.errors(include_url=False, include_context=False, include_input=False)
        )


_MESSAGES = {
    "extra_forbidden": "unknown field",
    "missing": "required",
    "tuple_type": "Input should be a list",
}


def _path(location: tuple[int | str, ...]) -> str:
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return path.removeprefix(".")
