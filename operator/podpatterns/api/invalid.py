"""What is wrong with an object that doesn't have the form of its kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError


@dataclass(frozen=True, slots=True)
class FieldError:
    path: str
    """The field, as `kubectl explain` names it: spec.sharedVolumes[0].mounts[1].container."""
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class InvalidObject(ValueError):
    """An object has fields that are missing, unknown or of the wrong form."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(map(str, errors)))
        self.errors = tuple(errors)

    @classmethod
    def of(cls, error: ValidationError) -> InvalidObject:
        return cls(
            [
                FieldError(_path(e["loc"]), _MESSAGES.get(e["type"], e["msg"]))
                for e in error.errors(include_url=False, include_input=False)
            ]
        )


_MESSAGES = {
    "extra_forbidden": "unknown field",
    "missing": "required",
    "tuple_type": "Input should be a list",
}


def _path(location: tuple[int | str, ...]) -> str:
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return path.removeprefix(".")
