"""What the operator tells of its work: metrics, log lines and Events."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Sequence
from typing import Any

import pytest
import yaml
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from testbed.cluster.kubectl import Kubectl
from testbed.cluster.operator_process import OperatorProcess
from testbed.cluster.rights import CHART
from testbed.eventually import eventually
from testbed.ports import free_port
from tests.integration.controller.sites import Sites

OF_AN_ACTION = {"kind", "namespace", "name", "action", "pod", "revision", "duration"}


class Metrics:
    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/metrics"

    def families(self) -> list[Metric]:
        with urllib.request.urlopen(self.url, timeout=30) as answer:  # noqa: S310 (no file)
            return list(text_string_to_metric_families(answer.read().decode()))

    def value(self, name: str, **labels: str) -> float:
        """The sum of all series with these labels."""
        samples = [s for family in self.families() for s in family.samples if s.name == f"podpatterns_{name}"]
        return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())


@pytest.fixture(scope="module")
def metrics() -> Metrics:
    return Metrics(free_port())


@pytest.fixture(scope="module")
def operator_arguments(metrics: Metrics) -> Sequence[str]:
    address = metrics.url.removeprefix("http://").removesuffix("/metrics")
    return [f"--metrics-bind-address={address}"]


def helper(image: int) -> list[dict[str, Any]]:
    return [{"name": "helper", "image": f"helper:{image}"}]


def lines(operator: OperatorProcess, since: int, **fields: str) -> list[dict[str, Any]]:
    """The log's lines about the test's actions."""
    found = operator.messages()[since:]
    return [m for m in found if "action" in m and all(m.get(k) == v for k, v in fields.items())]


def test_each_action_is_a_line_and_is_counted(
    sites: Sites, operator: OperatorProcess, metrics: Metrics, namespace: str, kubectl: Kubectl
) -> None:
    since, before = len(operator.messages()), actions(metrics)
    sites.ready(replicas=2)
    sites.ready(replicas=2, sidecars=helper(2))  # in place
    sites.ready(replicas=1, sidecars=helper(2))
    kubectl("delete", "pod", "site-0")
    eventually(lambda: lines(operator, since, action="Replace"))
    told = lines(operator, since)
    assert all(
        line.keys() >= OF_AN_ACTION - ({"revision"} if line["action"] == "Replace" else set())
        for line in told
    )
    assert {(line["kind"], line["namespace"], line["name"]) for line in told} == {
        ("SidecarApp", namespace, "site")
    }
    by_action = {action: lines(operator, since, action=action) for action in ("Create", "Update", "Delete")}
    assert [line["pod"] for line in by_action["Create"]] == ["site-0", "site-1", "site-0"]
    assert sorted(line["pod"] for line in by_action["Update"]) == ["site-0", "site-1"]
    assert {line["detail"] for line in by_action["Update"]} == {"image of helper"}
    assert [(line["pod"], line["reason"]) for line in by_action["Delete"]] == [("site-1", "ScaledDown")]
    assert lines(operator, since, action="Replace")[0]["reason"] == "Deleted"

    after = actions(metrics)
    assert {action: after[action] - before[action] for action in after} == {
        ("Create", ""): 3,
        ("Update", "Outdated"): 2,
        ("Delete", "ScaledDown"): 1,
    }
    assert metrics.value("leader") == 1
    assert metrics.value("reconcile_total", kind="SidecarApp", outcome="success") > 0
    assert metrics.value("api_requests_total", verb="create", code="201") > 0
    assert metrics.value("cache_objects", resource="pods") >= 1
    assert 0 <= metrics.value("watch_age_seconds", resource="pods") < 90


def actions(metrics: Metrics) -> dict[tuple[str, str], float]:
    """How many actions of some kinds there have been, for a reason."""
    kinds = [("Create", ""), ("Update", "Outdated"), ("Delete", "ScaledDown")]
    return {(a, r): metrics.value("pod_actions_total", action=a, reason=r) for a, r in kinds}


def test_a_refusal_is_told_and_shown(
    sites: Sites, operator: OperatorProcess, metrics: Metrics, kubectl: Kubectl
) -> None:
    since = len(operator.messages())
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}}
    kubectl.apply({**quota, "spec": {"hard": {"pods": "0"}}})
    eventually(lambda: kubectl.get("resourcequota", "none").get("status", {}).get("hard"))
    sites.apply()
    eventually(lambda: metrics.value("objects_not_ready", reason="Forbidden"), until=lambda n: n == 1)
    assert metrics.value("api_requests_total", verb="create", code="403") > 0
    refused = [m for m in operator.messages()[since:] if m["message"] == "Refused"]
    assert {(m["severity"], m["name"], m["reason"]) for m in refused} == {("warn", "site", "Forbidden")}
    delays = [m["retry_after"] for m in refused]
    assert delays == sorted(set(delays)), "once for each step of the back-off"
    kubectl("delete", "resourcequota", "none")
    sites.wait_until_ready()
    assert metrics.value("objects_not_ready", reason="Forbidden") == 0


def test_describe_shows_events_in_their_order(sites: Sites, kubectl: Kubectl) -> None:
    for image in (1, 2, 3):
        sites.ready(replicas=2, sidecars=helper(image))
    sites.ready(replicas=1, sidecars=helper(3))
    updates = ["SuccessfulUpdate"] * 4
    eventually(lambda: events(kubectl), until=lambda told: told[-1:] == ["SuccessfulDelete"])
    assert events(kubectl) == ["SuccessfulCreate", *updates, "SuccessfulDelete"]


def events(kubectl: Kubectl) -> list[str]:
    """Reasons of the site's Events as `kubectl describe` shows them."""
    _, _, shown = kubectl("describe", "sidecarapp", "site").partition("----    ------")
    return [line.split()[1] for line in shown.splitlines()[1:]]


def test_an_idle_operator_says_nothing_and_kopf_never_does(operator: OperatorProcess) -> None:
    assert not [m for m in operator.messages() if m["logger"].startswith("kopf")]


def test_dashboard_and_alerts_ask_for_metrics_that_there_are(sites: Sites, metrics: Metrics) -> None:
    """After the tests above, the operator has done something of each kind."""
    sites.apply(include=[{"kind": "SidecarApp", "name": "missing"}])
    eventually(lambda: metrics.value("objects_not_ready", reason="PartNotFound"), until=lambda n: n == 1)
    names = {sample.name for family in metrics.families() for sample in family.samples}
    dashboard = json.loads((CHART / "dashboards" / "operator.json").read_text())
    groups = yaml.safe_load((CHART / "alerts" / "operator.yaml").read_text())["groups"]
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    asked += [rule["expr"] for group in groups for rule in group["rules"]]
    assert len(asked) > 30
    for expression in asked:
        wanted = set(re.findall(r"\b(?:podpatterns|process)_\w+", expression))
        assert wanted, expression
        assert wanted <= names, expression
