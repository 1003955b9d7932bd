"""A scenario's result, for people: a line when it was clean, else all that is needed to see why."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chaos.scenario import Result


def tell(result: Result) -> str:
    plan = result.plan
    line = f"seed {plan.seed}: {len(plan.steps)} steps, {len(result.faults)} faults, {result.seconds:.1f} s"
    if result.gaps:
        line += f", unseen: {', '.join(result.gaps)}"
    if result.clean:
        return line
    return "\n".join(
        [
            f"{line}: NOT CLEAN; again: make chaos SEEDS=1 FROM={plan.seed}",
            *(f"  step: {step}" for step in plan.steps),
            *(f"  fault: {fault}" for fault in result.faults),
            *(f"  left: {left}" for left in result.left),
            *map(str, result.violations),
        ]
    )
