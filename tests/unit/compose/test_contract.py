"""What an Adapter's own words tell of its rules. That the adapter says the same shows in
tests/integration/adapter."""

from __future__ import annotations

from typing import Any

import pytest

from podpatterns.compose import CannotCompose, compose
from podpatterns.compose.rules.metricname import offences
from testbed.builders import adapter, pattern, template

SOURCES = [
    {"name": "access", "type": "log", "log": {"volume": "logs", "path": "access.log"}},
    {"name": "stats", "type": "json", "json": {"url": "http://127.0.0.1:8801/"}},
    {"name": "top", "type": "proc", "proc": {"command": "app"}},
    {"name": "sent", "type": "statsd", "statsd": {"port": 8125}},
]
LOGS = {"name": "logs", "mountPath": "/logs"}
X = {"name": "custom", "metrics": [{"name": "app_x_total", "type": "counter"}]}


def spec(*rules: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """One that has nothing wrong with it beside `rules` and `fields`."""
    fine = {"source": "stats", "path": "x", "metric": "app_x_total"}
    defaults = {"sources": SOURCES, "rules": [fine, *rules], "contract": X, "sharedVolumes": [LOGS]}
    return {"template": template(), **defaults, **fields}


def problems(**fields: Any) -> list[str]:
    """The path, the reason if it isn't InvalidSpec, and the beginning of the message."""
    try:
        compose(adapter(**fields), {})
    except CannotCompose as refused:
        return [
            f"{p.path}: {'' if p.reason == 'InvalidSpec' else f'{p.reason}: '}{p.message}"
            for p in refused.problems
        ]
    return []


def log_rule(regex: str, **emission: Any) -> dict[str, Any]:
    return {"source": "access", "regex": regex, "emit": [{"metric": "app_x_total", **emission}]}


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (
            {"source": "nobody", "path": "x", "metric": "app_x_total"},
            'spec.rules[1].source: there is no source "nobody"; the sources are access, stats, top, sent',
        ),
        (
            {"source": "stats", "regex": "x", "metric": "app_x_total"},
            "spec.rules[1].regex: the source stats is of type json, whose rules have a path",
        ),
        (
            {"source": "access", "path": "x", "metric": "app_x_total"},
            "spec.rules[1].path: the source access is of type log, whose rules have a regex",
        ),
        (
            log_rule(r"(?P<code>\d+)", labels={"code": "${code"}),
            "spec.rules[1].emit[0].labels.code: ${ without }; write ${group}",
        ),
        (
            log_rule(r"(?P<code>\d+)", labels={"code": "a${}"}),
            "spec.rules[1].emit[0].labels.code: a group without a name; write ${group}",
        ),
        (
            {"source": "top", "path": "rss", "metric": "app_y"},
            "spec.rules[1].path: a source of type proc has no rss; it has [process_cpu_seconds_total",
        ),
        (
            {"source": "stats", "path": "x", "metric": "app_time_ms"},
            "spec.rules[1].metric: app_time_ms, a gauge: metric names should not contain abbreviated units",
        ),
        (
            {"source": "stats", "path": "x", "metric": "adapter_x"},
            "spec.rules[1].metric: must be a metric's name such as app_requests_total; adapter_… are",
        ),
        (
            {"source": "stats", "path": "x", "metric": "app_x_total", "scale": -1},
            "spec.rules[1].scale: must be above 0: app_x_total is a counter, which never falls",
        ),
        (
            {"source": "stats", "path": "x", "metric": "app_y", "scale": 0},
            "spec.rules[1].scale: must be a number other than 0",
        ),
        (
            {"source": "stats", "path": "x", "metric": "app_x_total", "labels": {"le": "1"}},
            'spec.rules[1].labels: "le" cannot be a label',
        ),
    ],
)
def test_a_bad_rule_is_told_with_its_index(rule: dict[str, Any], told: str) -> None:
    [problem] = problems(**spec(rule))
    assert problem.startswith(told)


RED = {"name": "red/v1"}
REQUESTS = {"source": "sent", "path": "a", "metric": "app_requests_total"}
ERRORS = {"source": "sent", "path": "b", "metric": "app_errors_total"}
DURATION = {"source": "sent", "path": "c", "metric": "app_request_duration_seconds"}
HISTOGRAM = "app_request_duration_seconds, a histogram"


@pytest.mark.parametrize(
    ("contract", "rules", "told"),
    [
        (RED, [REQUESTS, ERRORS, DURATION], []),
        (
            RED,
            [REQUESTS, ERRORS],
            [f"no rule makes {HISTOGRAM} that red/v1 wants; add one, or choose another contract"],
        ),
        (
            RED,
            [REQUESTS, ERRORS, {**DURATION, "metric": "app_request_duration_seconds_sum"}],
            [f"no rule makes {HISTOGRAM} that red/v1 wants; add one, or choose another contract"],
        ),
        (
            RED,
            [
                REQUESTS,
                ERRORS,
                {"source": "stats", "path": "s", "metric": "app_request_duration_seconds_sum"},
                {"source": "stats", "path": "c", "metric": "app_request_duration_seconds_count"},
            ],
            [],
        ),
        (
            {"name": "custom", "metrics": [{"name": "app_y", "type": "gauge", "labels": ["a", "b"]}]},
            [{"source": "sent", "path": "y", "metric": "app_y", "labels": {"a": "1"}}],
            ["custom wants the label b on app_y; give it here or in contract.labels"],
        ),
        (
            {
                "name": "custom",
                "labels": {"b": "2"},
                "metrics": [{"name": "app_y", "type": "gauge", "labels": ["a", "b"]}],
            },
            [{"source": "sent", "path": "y", "metric": "app_y", "labels": {"a": "1"}}],
            [],
        ),
    ],
)
def test_what_the_contract_wants_and_no_rule_makes(
    contract: dict[str, Any], rules: list[dict[str, Any]], told: list[str]
) -> None:
    found = problems(**spec(contract=contract, rules=rules))
    assert [p.partition("ContractUnsatisfiable: ")[2] for p in found] == told


def test_a_contract_of_ones_own_keeps_to_the_conventions() -> None:
    metrics = [{"name": "app_x_total", "type": "gauge"}, {"name": "app_z", "type": "histogram"}]
    found = problems(
        **spec(
            {"source": "sent", "path": "z", "metric": "app_z"},
            contract={"name": "custom", "buckets": [1, 1], "metrics": metrics},
        )
    )
    assert found[0] == "spec.contract.buckets: must be rising numbers; +Inf is added"
    assert found[1].startswith("spec.contract.metrics[0].name: app_x_total, a gauge: non-counter metrics")


def test_a_part_is_named_with_the_field() -> None:
    part = adapter("red", rules=[])
    app = pattern(
        "SidecarApp", "site", {"template": template(), "include": [{"kind": "Adapter", "name": "red"}]}
    )
    with pytest.raises(CannotCompose) as refused:
        compose(app, {("Adapter", "red"): part})
    [problem] = refused.value.problems
    assert (problem.path, problem.reason) == ("Adapter red: spec.rules", "ContractUnsatisfiable")


@pytest.mark.parametrize(
    "rule",
    [
        log_rule(r"(\d+"),
        log_rule(r"(?=x)", value="size"),
        log_rule("(?i)" + r"\pL" * 250),
        {"source": "stats", "path": "http..hits", "metric": "app_y"},
        {"source": "stats", "path": "x", "emit": [{"metric": "app_y", "when": "a >= "}]},
    ],
)
def test_what_the_adapter_alone_can_read_is_left_to_it(rule: dict[str, Any]) -> None:
    assert problems(**spec(rule)) == []


@pytest.mark.parametrize(
    ("name", "kind", "told"),
    [
        ("app_requests_total", "counter", []),
        ("app_requests", "counter", ['counter metrics should have "_total" suffix']),
        ("app_heap_kilobytes", "gauge", ['use base unit "bytes" instead of "kilobytes"']),
        ("app_gauge_x", "gauge", ["metric name should not include type 'gauge'"]),
        ("appTime", "gauge", ["metric names should be written in 'snake_case' not 'camelCase'"]),
        ("app_time_seconds", "histogram", []),
        ("app_x_count", "gauge", ['non-histogram and non-summary metrics should not have "_count" suffix']),
    ],
)
def test_offences(name: str, kind: Any, told: list[str]) -> None:
    assert offences(name, kind) == told
