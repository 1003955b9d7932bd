"""The rules for an Adapter's contract: the metrics that it requires, and those that the rules can produce.

The adapter judges the same (helpers/cmd/metrics-adapter/internal/contract), with the same messages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from podpatterns.api.adapter import AdapterSpec
from podpatterns.api.adapter import Contract as Written
from podpatterns.api.conditions import Reason
from podpatterns.api.rule import Emission, Rule
from podpatterns.compose.rules.problem import Problem

MetricType = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True)
class Metric:
    name: str
    type: MetricType
    labels: tuple[str, ...] = ()
    """Labels that each of its series must have."""


BUILTIN: Mapping[str, tuple[Metric, ...]] = {
    "red/v1": (
        Metric("app_requests_total", "counter"),
        Metric("app_errors_total", "counter"),
        Metric("app_request_duration_seconds", "histogram"),
    ),
    "use/v1": (
        Metric("app_resource_utilization_ratio", "gauge", ("resource",)),
        Metric("app_resource_saturation", "gauge", ("resource",)),
        Metric("app_resource_errors_total", "counter", ("resource",)),
    ),
}


WELL_KNOWN = tuple(replace(metric, labels=()) for metrics in BUILTIN.values() for metric in metrics)
"""Metrics that have a type without a contract too."""


@dataclass(frozen=True, slots=True)
class Target:
    """Meaning of a metric's name in a rule."""

    metric: Metric
    whole: bool
    """False for a histogram's sum or count, given separately."""
    known: bool
    """True for a metric of the contract, which has its type."""


@dataclass(frozen=True, slots=True)
class Contract:
    name: str | None
    """None if no metric is required."""
    labels: Mapping[str, str]
    metrics: tuple[Metric, ...]
    targets: Mapping[str, Target]
    """Targets by name: its metrics, and the parts of its histograms."""

    @classmethod
    def of(cls, written: Written) -> Contract:
        custom = tuple(Metric(m.name, m.type, m.labels) for m in written.metrics or ())
        metrics = BUILTIN.get(written.name or "", custom)
        known = metrics if written.name else WELL_KNOWN
        return cls(written.name, written.labels or {}, metrics, dict(_targets(known)))

    def target(self, name: str) -> Target:
        """Return the meaning of a name: a metric of the contract or a part of one; else a counter if it ends
        in _total, and a gauge if not."""
        if known := self.targets.get(name):
            return known
        kind: MetricType = "counter" if name.endswith("_total") else "gauge"
        return Target(Metric(name, kind), whole=True, known=False)


def _targets(metrics: Sequence[Metric]) -> Iterator[tuple[str, Target]]:
    for metric in reversed(metrics):  # the first of a name has the last word
        if metric.type == "histogram":
            for part in ("sum", "count"):
                yield f"{metric.name}_{part}", Target(metric, whole=False, known=True)
        yield metric.name, Target(metric, whole=True, known=True)


def emissions(rule: Rule) -> list[tuple[str, Emission]]:
    """Return the metrics that a rule produces, in either notation, each with its path inside the rule."""
    if rule.metric is not None:
        return [
            (
                "",
                Emission(
                    metric=rule.metric, labels=rule.labels, scale=rule.scale, aggregation=rule.aggregation
                ),
            )
        ]
    return [(f".emit[{i}]", emission) for i, emission in enumerate(rule.emit or ())]


def contract_problems(spec: AdapterSpec) -> Iterator[Problem]:
    """Yield the problems of names that clash, of gauges with two aggregations, and of metrics that no rule
    produces."""
    contract = Contract.of(spec.contract)
    yield from _declaration_problems(spec.contract)
    made: set[str] = set()
    owners: dict[str, str] = {}
    aggregations: dict[str, str] = {}
    types = {source.name: source.type for source in spec.sources}
    for i, rule in enumerate(spec.rules):
        for path, emission in emissions(rule):
            at, target = f"spec.rules[{i}]{path}", contract.target(emission.metric)
            if emission.metric not in made and target.whole:
                exposed = _exposed(target, types.get(rule.source))
                yield from _clashes(f"{at}.metric", exposed, owners)
            made.add(emission.metric)
            yield from _aggregation_problems(f"{at}.aggregation", target.metric, emission, aggregations)
            given = {**(emission.labels or {}), **contract.labels}
            for label in target.metric.labels:
                if not given.get(label):
                    message = (
                        f"{contract.name} wants the label {label} on {target.metric.name}; "
                        "give it here or in contract.labels"
                    )
                    yield Problem(f"{at}.labels", message, Reason.CONTRACT_UNSATISFIABLE)
    yield from _not_made(contract, made)


def _not_made(contract: Contract, made: set[str]) -> Iterator[Problem]:
    for metric in contract.metrics:
        in_parts = metric.type == "histogram" and {f"{metric.name}_sum", f"{metric.name}_count"} <= made
        if metric.name not in made and not in_parts:
            message = (
                f"no rule makes {metric.name}, a {metric.type} that {contract.name} wants; "
                "add one, or choose another contract"
            )
            yield Problem("spec.rules", message, Reason.CONTRACT_UNSATISFIABLE)


def _aggregation_problems(
    path: str, metric: Metric, emission: Emission, aggregations: dict[str, str]
) -> Iterator[Problem]:
    """Yield a problem if two rules give a gauge different aggregations, or if the metric is no gauge.

    `aggregations` has the aggregation of each gauge so far, and gets that of `metric`.
    """
    if metric.type != "gauge":
        if emission.aggregation:
            yield Problem(path, f"{metric.name} is a {metric.type}, which is always added up; leave it out")
        return
    how = emission.aggregation or "sum"
    other = aggregations.get(metric.name, how)
    if other != how:
        message = (
            f"{metric.name} is the {other} of what another rule finds, and cannot be the {how} as well; "
            "say the same in both"
        )
        yield Problem(path, message)
    aggregations[metric.name] = how


def _exposed(target: Target, source: str | None) -> Metric:
    """Return the metric in the form that takes up most names: a histogram of a scraped page stays one."""
    metric = target.metric
    if target.known or metric.type != "gauge" or source != "prometheus":
        return metric
    return Metric(metric.name, "histogram")


def _clashes(path: str, metric: Metric, owners: dict[str, str]) -> Iterator[Problem]:
    """Yield a problem if OpenMetrics would give two metrics one name: it drops _total from a counter's
    family.

    `owners` has the metric of each name in OpenMetrics text so far, and gets the names of `metric`.
    """
    for name in _names(metric):
        other = owners.setdefault(name, metric.name)
        if other != metric.name:
            message = (
                f"{metric.name} and {other} cannot both be there: in OpenMetrics both have the name {name}"
            )
            yield Problem(path, message)
            return


def _names(metric: Metric) -> list[str]:
    """Return the names of the metric in OpenMetrics text."""
    if metric.type == "counter":
        base = metric.name.removesuffix("_total")
        return [metric.name, base, f"{base}_created"]
    if metric.type == "histogram":
        return [metric.name, *(f"{metric.name}_{part}" for part in ("bucket", "sum", "count", "created"))]
    return [metric.name]


def _declaration_problems(written: Written) -> Iterator[Problem]:
    yield from _bucket_problems("spec.contract.buckets", written.buckets)
    for i, metric in enumerate(written.metrics or ()):
        at = f"spec.contract.metrics[{i}]"
        yield from _bucket_problems(f"{at}.buckets", metric.buckets)


def _bucket_problems(path: str, buckets: Sequence[float] | None) -> Iterator[Problem]:
    bounds = buckets or ()
    if any(not low < high for low, high in pairwise(bounds)):
        yield Problem(path, "must be rising numbers; +Inf is added")
