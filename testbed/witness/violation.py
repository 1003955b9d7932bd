"""A rule that was broken."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    rule: str
    """The sentence that must always be true."""
    subject: str
    """The object or the request that broke it."""
    detail: str
    trace: tuple[str, ...] = ()
    """The changes before it, the latest last."""

    def __str__(self) -> str:
        trace = "".join(f"\n    {line}" for line in self.trace)
        return f"{self.rule}\n  {self.subject}: {self.detail}{trace}"
