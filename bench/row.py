"""The rows of the result: a figure of ours beside theirs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Goal:
    relation: Literal["≤", "≥"]
    bound: float

    def holds(self, figure: float) -> bool:
        return figure <= self.bound if self.relation == "≤" else figure >= self.bound

    def __str__(self) -> str:
        return f"{self.relation} {self.bound:g}"


@dataclass(frozen=True)
class Row:
    """`ours` and `theirs` are the medians over rounds whose figures stand beside them."""

    name: str
    unit: str
    ours_rounds: Sequence[float]
    theirs_rounds: Sequence[float]
    """Empty where there is nothing to compare with."""
    goal: Goal | None = None
    goal_for: Literal["ratio", "ours"] = "ratio"
    ours: float = field(init=False)
    theirs: float | None = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ours", median(self.ours_rounds))
        object.__setattr__(self, "theirs", median(self.theirs_rounds) if self.theirs_rounds else None)

    @property
    def ratio(self) -> float | None:
        return self.ours / self.theirs if self.theirs else None

    @property
    def holds(self) -> bool | None:
        """None where there is no goal."""
        figure = self.ours if self.goal_for == "ours" else self.ratio
        return None if self.goal is None or figure is None else self.goal.holds(figure)

    def as_json(self) -> dict[str, Any]:
        shown = {key: value for key, value in asdict(self).items() if not key.startswith("goal")}
        return {
            **shown,
            "ratio": self.ratio,
            "goal": None if self.goal is None else f"{self.goal_for} {self.goal}",
            "holds": self.holds,
        }


def table(rows: Sequence[Row]) -> str:
    """As text; behind a median the least and the greatest of its rounds."""
    head = ("", "ours", "theirs", "ratio", "goal", "holds")
    lines = [head, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in (0, 5) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _cells(row: Row) -> tuple[str, str, str, str, str, str]:
    goal = "" if row.goal is None else str(row.goal) + (" (ours)" if row.goal_for == "ours" else "")
    return (
        f"{row.name} [{row.unit}]" if row.unit else row.name,
        _figures(row.ours_rounds),
        _figures(row.theirs_rounds),
        "" if row.ratio is None else f"{row.ratio:.2f}",
        goal,
        {True: "yes", False: "NO", None: ""}[row.holds],
    )


def _figures(rounds: Sequence[float]) -> str:
    if not rounds:
        return ""
    spread = f" ({_figure(min(rounds))}-{_figure(max(rounds))})" if len(rounds) > 1 else ""
    return _figure(median(rounds)) + spread


def _figure(number: float) -> str:
    return f"{number:.0f}" if number >= 1000 or number == int(number) else f"{number:.3g}"
