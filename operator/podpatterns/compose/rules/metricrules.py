"""The rules for an Adapter's rules, as far as their form tells.

The adapter judges once more, with the same messages (helpers/cmd/metrics-adapter/internal/spec and rule). It
alone parses regular expressions, JMESPath and conditions, and so knows the groups; it reports what it refuses
itself (the condition ConfigurationCurrent, `metrics-adapter --check`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from podpatterns.api.adapter import AdapterSpec
from podpatterns.api.rule import Emission, Rule
from podpatterns.api.source import Source
from podpatterns.compose.rules.contract import Contract, emissions
from podpatterns.compose.rules.problem import Problem

PROC_METRICS = (
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "process_virtual_memory_bytes",
    "process_open_fds",
    "process_max_fds",
    "process_threads",
    "process_count",
)
"""Metrics of a source of type proc."""

_FALLING_PAIR = re.compile(r"\S+ [-*/] \S+")
_TEMPLATE = re.compile(r"\$\{([^}]*)(\}?)")


def rule_problems(spec: AdapterSpec) -> Iterator[Problem]:
    contract = Contract.of(spec.contract)
    sources = {source.name: source for source in spec.sources}
    yield from _label_problems("spec.contract.labels", spec.contract.labels or {})
    yield from _socket_problems(spec.sources)
    for i, rule in enumerate(spec.rules):
        at, source = f"spec.rules[{i}]", sources.get(rule.source)
        for path, emission in emissions(rule):
            yield from _emission_problems(f"{at}{path}", emission)
        if source is None:
            names = ", ".join(sources)
            yield Problem(f"{at}.source", f'there is no source "{rule.source}"; the sources are {names}')
            continue
        yield from _finding_problems(at, rule, source)
        for path, emission in emissions(rule):
            yield from _type_problems(f"{at}{path}", emission, contract, source)
            yield from _pair_problems(f"{at}{path}", rule, emission, contract, source)
            yield from _template_problems(f"{at}{path}", emission)


def _socket_problems(sources: Sequence[Source]) -> Iterator[Problem]:
    for i, source in enumerate(sources):
        if source.syslog and source.syslog.socket and source.syslog.socket == source.syslog.stream_socket:
            message = "is the same file as socket; choose another"
            yield Problem(f"spec.sources[{i}].syslog.streamSocket", message)


def _finding_problems(at: str, rule: Rule, source: Source) -> Iterator[Problem]:
    """Yield the problems of a rule's path or regex with its source."""
    lines = source.lines is not None and source.line_format is None
    if rule.regex and not lines:
        of = f"{source.type} in {source.line_format}" if source.line_format else source.type
        yield Problem(f"{at}.regex", f"the source {source.name} is of type {of}, whose rules have a path")
    elif rule.path and lines:
        yield Problem(
            f"{at}.path", f"the source {source.name} is of type {source.type}, whose rules have a regex"
        )
    elif rule.identity and source.type != "json":
        message = (
            f"the source {source.name} is of type {source.type}; only the lists of a JSON page have elements "
            "to tell apart"
        )
        yield Problem(f"{at}.identity", message)
    if source.type == "proc" and rule.path not in PROC_METRICS:
        has = " ".join(PROC_METRICS)
        yield Problem(f"{at}.path", f"a source of type proc has no {rule.path}; it has [{has}]")


def _emission_problems(at: str, emission: Emission) -> Iterator[Problem]:
    if emission.metric.startswith("adapter_"):
        message = "must be a metric's name such as app_requests_total; adapter_… are the adapter's own"
        yield Problem(f"{at}.metric", message)
    yield from _label_problems(f"{at}.labels", emission.labels or {})
    if emission.scale == 0:
        yield Problem(f"{at}.scale", "must be a number other than 0")


def _type_problems(at: str, emission: Emission, contract: Contract, source: Source) -> Iterator[Problem]:
    """Yield the problems of a metric's type with its source."""
    target = contract.target(emission.metric)
    name, kind = target.metric.name, target.metric.type
    if emission.scale is not None and emission.scale < 0 and kind != "gauge":
        yield Problem(f"{at}.scale", f"must be above 0: {name} is a {kind}, which never falls")
    if kind != "histogram" or not target.whole:
        return
    if source.type in ("json", "proc"):
        message = (
            f"{name} is a histogram of single values, of which a source of type {source.type} knows only "
            f"totals; give {name}_sum and {name}_count instead"
        )
        yield Problem(f"{at}.metric", message)
    elif source.lines and emission.value is None:
        yield Problem(f"{at}.value", f"{name} is a histogram: name the group that holds the value")


def _pair_problems(
    at: str, rule: Rule, emission: Emission, contract: Contract, source: Source
) -> Iterator[Problem]:
    """Yield the problem of a metric that may not fall, made of two by an operator whose result may."""
    target = contract.target(emission.metric).metric
    if source.prometheus and _FALLING_PAIR.fullmatch(rule.path or "") and target.type != "gauge":
        message = (
            f"{target.name} is a {target.type}, which never falls; of {rule.path} only a gauge can be made"
        )
        yield Problem(f"{at}.metric", message)


def _template_problems(at: str, emission: Emission) -> Iterator[Problem]:
    """Yield the problems of references in labels that name no group."""
    for label, text in sorted((emission.labels or {}).items()):
        for found in _TEMPLATE.finditer(text) if "${" in text else ():
            if not found[2]:
                yield Problem(f"{at}.labels.{label}", "${ without }; write ${group}")
            elif not found[1]:
                yield Problem(f"{at}.labels.{label}", "a group without a name; write ${group}")


def _label_problems(path: str, labels: Mapping[str, str]) -> Iterator[Problem]:
    for label in labels:
        if label in ("le", "quantile") or label.startswith("__"):
            message = (
                f'"{label}" cannot be a label: use letters, digits and underscores, and neither le nor '
                "quantile nor two underscores in front"
            )
            yield Problem(path, message)
