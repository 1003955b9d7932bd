"""The state that a status reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from podpatterns.api.text import MESSAGE_LENGTH, listed
from podpatterns.compose import Composition, Problem
from podpatterns.replicas.claims import Findings
from podpatterns.replicas.configuration import Answers, ConfigurationTargets
from podpatterns.replicas.contract import Answer, ContractTargets
from podpatterns.replicas.drift import Drift
from podpatterns.replicas.failure import Failure, names_taken
from podpatterns.replicas.pod import Pod
from podpatterns.replicas.replacement import Replacement

PROBLEMS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Observed:
    pods: Sequence[Pod]
    problems: Sequence[Problem]
    """The faults for which no Pod can be made; empty without any."""
    failure: Failure | None
    now: float
    """Unix seconds."""
    replacements: Sequence[Replacement] = ()
    """Completed replacements that are not in the previous status yet."""
    composition: Composition | None = None
    """None when there is none."""
    contract_targets: ContractTargets | None = None
    """The Pod whose adapters are polled; None when no Pod runs."""
    answers: Mapping[str, Answer] = field(default_factory=dict)
    """The adapters' answers, by container."""
    configuration_targets: ConfigurationTargets | None = None
    """The helpers that are polled for their configuration; None when there is no helper."""
    running: Answers | None = None
    """The helpers' answers; None before the first poll."""
    taken: Mapping[str, Failure] = field(default_factory=dict)
    """Failures by the name of a Pod that can't be created, as somebody else's has the name: its slot stays
    empty."""
    error: Failure | None = None
    """The failure of the whole reconcile: an error of the operator's own, or a refused write of an object
    that Pods need. The Pods are reported all the same."""
    claims: Findings | None = None
    """What the Pods' claims lack; None where nobody compared them with the newest spec."""
    drift: Sequence[Drift] = ()
    """Modifications of Pods by others."""

    @property
    def unwritten(self) -> Failure | None:
        """The most severe failure to write Pods."""
        return self.failure or names_taken(self.taken)


def problems_told(problems: Sequence[Problem]) -> str:
    """Return the first problems, as many as fit into a condition, and the number of the others."""
    return listed(problems, PROBLEMS_SHOWN, MESSAGE_LENGTH, "; ")
