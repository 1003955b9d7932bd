"""Whether the application's metrics are what the contract wants: the condition ContractSatisfied.

What the rules can't make is told by the composition. Whether they do make it only the adapters know: one Pod
of the object is asked for each of its adapters now and then (docs/adr/0010).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from podpatterns.compose import Composition, Exposition, Problem
from podpatterns.compose.contract import UNSATISFIABLE
from podpatterns.replicas.condition import Condition
from podpatterns.replicas.pod import Pod

CONTRACT_SATISFIED = "ContractSatisfied"
ABSENT = "absent"
"""The adapter's word for a metric of which no rule has found anything yet."""


@dataclass(frozen=True, slots=True)
class Missing:
    metric: str
    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What an adapter said, or that it didn't."""

    hash: str = ""
    """Of the configuration that it runs."""
    missing: tuple[Missing, ...] = ()
    trouble: str = ""
    """Why there is no answer; empty when there is one."""


@dataclass(frozen=True, slots=True)
class Question:
    """A Pod to ask, for each of its adapters."""

    pod: str
    address: str
    expositions: tuple[Exposition, ...]


def question(composition: Composition, revision: str, pods: Sequence[Pod]) -> Question | None:
    """Whom to ask: the first Pod that runs and has what the composition says."""
    able = [p for p in pods if p.live and p.phase == "Running" and p.address and p.revision == revision]
    if not composition.expositions or not able:
        return None
    first = min(able, key=lambda p: p.name)
    return Question(first.name, first.address, composition.expositions)


def contract_satisfied(
    composition: Composition | None,
    problems: Sequence[Problem],
    asked: Question | None,
    answers: Mapping[str, Answer],
    previous: Condition | None = None,
) -> Iterator[Condition]:
    """`answers` are by container. Until there are some, what was told before goes on being told."""
    if composition is None:
        if bad := [str(p) for p in problems if p.reason == UNSATISFIABLE]:
            yield Condition(CONTRACT_SATISFIED, False, UNSATISFIABLE, "; ".join(bad))
        return
    if not composition.expositions:
        return
    if asked is None:
        yield Condition(CONTRACT_SATISFIED, None, "NotRunning", "no Pod of the newest revision runs yet")
        return
    if previous and not answers:
        yield previous
        return
    told = [_judge(asked.pod, e, answers.get(e.container)) for e in asked.expositions]
    # What is wrong comes before what is not known.
    worst = min(told, key=lambda c: (c.status is not False, c.status is not None))
    yield Condition(CONTRACT_SATISFIED, worst.status, worst.reason, "; ".join(c.message for c in told))


def _judge(pod: str, exposition: Exposition, answer: Answer | None) -> Condition:
    who = f"{exposition.container} in {pod}"
    if answer is None:
        return Condition(CONTRACT_SATISFIED, None, "NotAsked", f"{who} was not asked yet")
    if answer.trouble:
        return Condition(CONTRACT_SATISFIED, None, "NoAnswer", f"{who} does not answer: {answer.trouble}")
    if answer.hash != exposition.hash:
        message = (
            f"{who} does not run the newest configuration: it takes up to two minutes to get there; "
            "if this stays, the adapter refuses it, and its log says why"
        )
        return Condition(CONTRACT_SATISFIED, None, "OldConfiguration", message)
    if not answer.missing:
        return Condition(
            CONTRACT_SATISFIED, True, "AllMetricsThere", f"all that {exposition.contract} wants is there"
        )
    missing = ", ".join(f"{m.metric} ({m.reason})" for m in answer.missing)
    message = f"{exposition.contract} misses in {who}: {missing}"
    if all(m.reason == ABSENT for m in answer.missing):
        return Condition(CONTRACT_SATISFIED, None, "NothingFoundYet", message)
    return Condition(CONTRACT_SATISFIED, False, "MetricsMissing", message)
