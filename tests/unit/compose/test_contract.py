"""What an Adapter's own words tell of its rules. That the adapter says the same shows in
tests/integration/adapter."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from podpatterns.compose import CannotCompose, compose
from podpatterns.compose.podmonitor import pod_monitor
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
            {"source": "top", "path": "process_threads", "metric": "app_y", "identity": "id"},
            "spec.rules[1].identity: the source top is of type proc; only the lists of a JSON page have",
        ),
        (
            {"source": "stats", "path": "x", "metric": "app_x_total", "aggregation": "max"},
            "spec.rules[1].aggregation: app_x_total is a counter, which is always added up; leave it out",
        ),
        (
            {
                "source": "stats",
                "path": "x",
                "emit": [{"metric": "app_y", "aggregation": "max"}, {"metric": "app_y"}],
            },
            "spec.rules[1].emit[1].aggregation: app_y is the max of what another rule finds, and cannot be",
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


@pytest.mark.parametrize(
    ("discovery", "annotated", "monitored"),
    [(None, True, True), ("Both", True, True), ("Annotations", True, False), ("PodMonitor", False, True)],
)
def test_prometheus_finds_the_metrics_in_the_way_that_is_chosen(
    discovery: str | None, annotated: bool, monitored: bool
) -> None:
    app = adapter(**spec(metrics={"discovery": discovery} if discovery else {}))
    composition = compose(app, {})
    annotations = composition.template["metadata"].get("annotations", {})
    assert ("prometheus.io/scrape" in annotations) == annotated
    assert (pod_monitor(app, composition) is not None) == monitored


def test_what_a_page_is_behind_is_mounted() -> None:
    stats = {
        "url": "https://127.0.0.1/",
        "basicAuthSecret": "user",
        "clientCertificateSecret": "client",
        "caSecretRef": {"name": "ca", "key": "ca.crt"},
        "socket": {"volume": "run", "path": "app.sock"},
    }
    statsd = {"port": 8125, "socket": {"volume": "sent", "path": "statsd.sock"}}
    sources = [
        {"name": "stats", "type": "json", "json": stats},
        {"name": "sent", "type": "statsd", "statsd": statsd},
    ]
    volumes = [{"name": name, "mountPath": f"/{name}"} for name in ("run", "sent")]
    pod = compose(adapter(**spec(sources=sources, rules=[], contract={}, sharedVolumes=volumes)), {}).template
    [helper] = [c for c in pod["spec"]["initContainers"] if c["name"].startswith("adapter")]
    mounts = {m["name"]: m.get("readOnly", False) for m in helper["volumeMounts"]}
    assert mounts["run"]
    assert not mounts["sent"]
    projected = yaml.safe_dump(pod["spec"]["volumes"])
    for path in ("user/password", "user/username", "client/tls.crt", "client/tls.key", "ca/ca.crt"):
        assert f"secrets/{path}" in projected


def test_buckets_rise() -> None:
    found = problems(**spec(contract={**X, "buckets": [1, 1]}))
    assert found == ["spec.contract.buckets: must be rising numbers; +Inf is added"]


def test_without_a_contract_nothing_is_demanded() -> None:
    gauge = {"source": "stats", "path": "queue", "metric": "app_queue_ms"}
    assert problems(**spec(contract={}, rules=[gauge])) == []
    # Names of the built-in contracts have their types all the same.
    [problem] = problems(**spec(contract={}, rules=[{**DURATION, "source": "stats"}]))
    assert "is a histogram of single values" in problem


def test_rules_of_a_log_with_a_format_have_paths() -> None:
    log = {"name": "access", "type": "log", "log": {"volume": "logs", "path": "a-*.log", "format": "json"}}
    path = {"source": "access", "path": "@", "metric": "app_x_total"}
    assert problems(**spec(rules=[path], sources=[log])) == []
    [problem] = problems(**spec(rules=[{**log_rule("x"), "source": "access"}], sources=[log]))
    assert problem.endswith(".regex: the source access is of type log in json, whose rules have a path")


def test_a_part_is_named_with_the_field() -> None:
    part = adapter("red", rules=[])
    app = pattern(
        "SidecarApp", "site", {"template": template(), "include": [{"kind": "Adapter", "name": "red"}]}
    )
    with pytest.raises(CannotCompose) as refused:
        compose(app, [part])
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
