"""A rule that was broken."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    rule: str
    """What must always be true."""
    subject: str
    """The object or the request that broke it."""
    detail: str
    trace: tuple[str, ...] = ()
    """What happened before, the latest last."""

    def __str__(self) -> str:
        trace = "".join(f"\n    {line}" for line in self.trace)
        return f"{self.rule}\n  {self.subject}: {self.detail}{trace}"
