"""Problem: the reason why an object can't become a Pod, written so that its author can correct it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from podpatterns.api import FieldError
from podpatterns.api.conditions import Reason
from podpatterns.api.invalid import first_errors
from podpatterns.api.text import NAME_LENGTH, listed
from podpatterns.api.text import shown as shown_text


@dataclass(frozen=True, slots=True)
class Problem(FieldError):
    """A field error of an object. The message says what is wrong and what to do."""

    reason: Reason = Reason.INVALID_SPEC
    """The condition's reason."""


class CannotCompose(Exception):
    """The object passed the schema, and can't become a Pod."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = first_errors(problems)
        super().__init__("; ".join(map(str, self.problems)))


def one_of(names: Iterable[str]) -> str:
    """Return the end of a sentence that lists the names in the Pod."""
    known = sorted(set(names))
    return f"the Pod has {listed(known)}" if known else "the Pod has none"


def shown(name: object) -> str:
    """Return a name of a template, cut: it may be of any length."""
    return shown_text(str(name), NAME_LENGTH)
