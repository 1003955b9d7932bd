"""What the chart makes for Prometheus and Grafana."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from testbed.cluster import packages
from testbed.cluster.command import CommandFailed, run
from testbed.cluster.programs import program
from testbed.cluster.rights import CHART

GOLDEN = Path(__file__).parents[1] / "golden" / "chart"
ALERTS = CHART / "alerts" / "operator.yaml"
OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


VERSION = str(yaml.safe_load((CHART / "Chart.yaml").read_text())["version"])


def rendered(*templates: str, **values: Any) -> str:
    settings = [f"--set-json={name.replace('__', '.')}={json.dumps(value)}" for name, value in values.items()]
    shown = [f"--show-only=templates/{name}.yaml" for name in templates]
    made = run(program("helm"), "template", "podpatterns", CHART, "--namespace=operators", *shown, *settings)
    return re.sub(r"\n\n+", "\n", made.replace(VERSION, "VERSION"))


def test_metrics_are_offered_and_guarded_as_the_golden_files_say() -> None:
    monitor = {"enabled": True, "labels": {"release": "prometheus"}, "interval": "15s"}
    peers = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]
    made = rendered(
        "metrics",
        "networkpolicy",
        metrics={"port": 9090, "serviceMonitor": monitor, "podMonitor": monitor},
        networkPolicy={"enabled": True, "metricsFrom": peers},
    )
    assert made == (GOLDEN / "everything.yaml").read_text()
    assert rendered("metrics") == (GOLDEN / "default.yaml").read_text()


def test_the_port_of_metrics_is_the_deployments() -> None:
    deployment = yaml.safe_load(rendered("deployment", metrics__port=9090))
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    assert "--metrics-bind-address=:9090" in container["args"]
    assert {"name": "metrics", "containerPort": 9090} in container["ports"]


def test_without_peers_nobody_may_scrape() -> None:
    policy = yaml.safe_load(rendered("networkpolicy", networkPolicy={"enabled": True}))
    assert policy["spec"]["ingress"] == [{"ports": [{"port": "health"}]}]


@pytest.mark.parametrize("name", ["networkpolicy", "prometheusrule", "dashboards"])
def test_what_needs_another_project_is_made_on_demand(name: str) -> None:
    with pytest.raises(CommandFailed, match="could not find template"):
        rendered(name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("metrics__port", 8080),
        ("metrics__serviceMonitor__interval", "often"),
        ("prometheusRule__rules", []),
        ("networkPolicy__metricsFrom", {}),
        ("dashboards__labels", ["grafana"]),
    ],
)
def test_a_value_that_is_wrong_is_refused(name: str, value: object) -> None:
    with pytest.raises(CommandFailed, match="values don't meet the specifications"):
        rendered("deployment", **{name: value})


def test_alerts_are_the_files() -> None:
    labels = {"release": "prometheus"}
    rule = yaml.safe_load(rendered("prometheusrule", prometheusRule={"enabled": True, "labels": labels}))
    assert rule["spec"] == yaml.safe_load(ALERTS.read_text())
    assert rule["metadata"]["labels"].items() >= labels.items()


def test_every_file_of_dashboards_becomes_a_config_map() -> None:
    made = list(yaml.safe_load_all(rendered("dashboards", dashboards={"enabled": True})))
    files = {name: text for config_map in made for name, text in config_map["data"].items()}
    assert {name: json.loads(text) for name, text in files.items()} == {
        path.name: json.loads(path.read_text()) for path in (CHART / "dashboards").glob("*.json")
    }
    assert all(m["metadata"]["labels"]["grafana_dashboard"] == "1" for m in made)


def test_every_alert_has_a_runbook() -> None:
    alerts = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    headings = re.findall(r"^### (\w+)$", OPERATIONS.read_text(), re.MULTILINE)
    assert [rule["alert"] for rule in alerts] == headings
    for rule in alerts:
        assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"


def test_promtool_accepts_the_alerts_and_they_fire_when_they_should() -> None:
    packages.require({"promtool": "prometheus"})
    run("promtool", "check", "rules", "--lint-fatal", ALERTS)
    run("promtool", "test", "rules", Path(__file__).with_name("alerts_test.yaml"))
