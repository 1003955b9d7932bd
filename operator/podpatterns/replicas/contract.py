"""The condition ContractSatisfied: an adapter offers the metrics that its contract demands.

The composition knows which metrics no rule can make. Only the adapters know which ones they have made: those
of one Pod are polled (docs/adr/0010).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from podpatterns.api.conditions import ConditionType, Reason
from podpatterns.api.text import MESSAGE_LENGTH, listed, shown
from podpatterns.compose import Composition, MetricsEndpoint, Problem
from podpatterns.compose.adapter import CONTRACT_PAGE
from podpatterns.replicas.condition import Condition
from podpatterns.replicas.endpoint import Endpoint, reachable
from podpatterns.replicas.pod import Pod

AGE = "every 5 minutes at least"
"""The longest pause between two polls: LONGEST in controller/pace.py."""

ABSENT = "absent"
"""The adapter's reason for a metric without samples."""

PROBLEMS_SHOWN = MISSING_SHOWN = 20
WORDS_SHOWN = 500
"""Bytes of an adapter's words."""


@dataclass(frozen=True, slots=True)
class Missing:
    metric: str
    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An adapter's answer, or the reason why there is none."""

    hash: str = ""
    """The hash of the configuration that it runs."""
    missing: tuple[Missing, ...] = ()
    refused: str = ""
    """The adapter's reason to refuse a newer configuration; empty when it refuses none."""
    trouble: str = ""
    """The reason why there is no answer; empty when there is one."""


@dataclass(frozen=True, slots=True)
class ContractTargets:
    """The adapters to poll: those of one Pod."""

    pod: str
    ip: str
    adapters: tuple[MetricsEndpoint, ...]

    def endpoints(self) -> Iterator[tuple[str, Endpoint]]:
        """Yield each adapter's container, and its endpoint."""
        for adapter in self.adapters:
            yield adapter.container, Endpoint(self.ip, adapter.port, CONTRACT_PAGE, adapter.hash)


def contract_targets(composition: Composition, revision: str, pods: Sequence[Pod]) -> ContractTargets | None:
    """Return the adapters in the first running Pod of the newest revision."""
    found = reachable(pods, revision)
    if not composition.metrics_endpoints or not found:
        return None
    first = min(found, key=lambda p: p.name)
    return ContractTargets(first.name, first.address, composition.metrics_endpoints)


def contract_satisfied(
    composition: Composition | None,
    problems: Sequence[Problem],
    targets: ContractTargets | None,
    answers: Mapping[str, Answer],
    previous: Condition | None = None,
) -> Iterator[Condition]:
    """Yield the condition; before the first answer, the previous one. `answers` are by container."""
    if composition is None:
        if bad := [p for p in problems if p.reason is Reason.CONTRACT_UNSATISFIABLE]:
            message = listed(bad, PROBLEMS_SHOWN, MESSAGE_LENGTH, "; ")
            yield _condition(False, Reason.CONTRACT_UNSATISFIABLE, message)
        return
    if not composition.metrics_endpoints:
        return
    if targets is None:
        yield _condition(None, Reason.NOT_RUNNING, "no Pod of the newest revision runs yet")
        return
    if previous and not answers:
        yield previous
        return
    told = [_judge(targets.pod, e, answers.get(e.container)) for e in targets.adapters]
    # A fault comes before what is unknown.
    worst = min(told, key=lambda c: (c.status is not False, c.status is not None))
    # So that the worst is not what is cut off.
    first = sorted(told, key=lambda c: c is not worst)
    messages = [c.message for c in first]
    yield _condition(worst.status, worst.reason, listed(messages, len(messages), MESSAGE_LENGTH, "; "))


def _judge(pod: str, endpoint: MetricsEndpoint, answer: Answer | None) -> Condition:
    who = f"{endpoint.container} in {pod}"
    if answer is None:
        return _condition(None, Reason.PENDING, f"the operator has not polled {who} yet")
    if answer.trouble:
        message = f"{who} does not answer: {shown(answer.trouble, WORDS_SHOWN)}"
        return _condition(None, Reason.UNREACHABLE, message)
    if answer.hash == endpoint.hash:
        return _compared(who, endpoint.contract, answer.missing)
    if answer.refused:
        words = shown(answer.refused, WORDS_SHOWN)
        message = f"{who} refuses the newest configuration and goes on with the last good one: {words}"
        return _condition(False, Reason.CONFIGURATION_REFUSED, message)
    message = f"{who} does not run the newest configuration yet: the kubelet takes up to two minutes"
    return _condition(None, Reason.CONFIGURATION_PROGRESSING, message)


def _compared(who: str, contract: str, missing: Sequence[Missing]) -> Condition:
    if not contract:
        message = f"{who} has no contract: no metric is required; the operator polls this Pod alone, {AGE}"
        return _condition(True, Reason.METRICS_PRESENT, message)
    if not missing:
        message = f"{who} offers every metric of {contract}; the operator polls this Pod alone, {AGE}"
        return _condition(True, Reason.METRICS_PRESENT, message)
    told = listed([f"{m.metric} ({m.reason})" for m in missing], MISSING_SHOWN, WORDS_SHOWN)
    message = f"{who} lacks metrics of {contract}: {told}"
    if all(m.reason == ABSENT for m in missing):
        return _condition(None, Reason.NO_SAMPLES_YET, message)
    return _condition(False, Reason.METRICS_MISSING, message)


def _condition(status: bool | None, reason: Reason, message: str) -> Condition:
    return Condition(ConditionType.CONTRACT_SATISFIED, status, reason, message)
