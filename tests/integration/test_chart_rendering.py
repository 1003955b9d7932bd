"""What Helm makes of the charts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from podpatterns.api import GROUP
from podpatterns.api.policy.leash import RULES
from podpatterns.cli import main
from testbed.cluster import packages
from testbed.cluster.command import CommandFailed, run
from testbed.cluster.programs import program
from testbed.cluster.rights import CHART
from tests.golden import renderings

ALERTS = CHART / "alerts" / "operator.yaml"
OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


EVERYTHING = yaml.safe_load((renderings.GOLDEN / "everything" / "values.yaml").read_text())


def rendered(*templates: str, **values: Any) -> str:
    settings = [f"--set-json={name.replace('__', '.')}={json.dumps(value)}" for name, value in values.items()]
    return renderings.rendered(*(f"--show-only=templates/{name}.yaml" for name in templates), *settings)


def deployment(**values: Any) -> Any:
    return yaml.safe_load(rendered("deployment", **values))["spec"]


def arguments(**values: Any) -> list[str]:
    [container] = deployment(**values)["template"]["spec"]["containers"]
    return container["args"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("case", renderings.CASES, ids=lambda case: case.name)
def test_helm_makes_what_the_golden_files_say(case: Path) -> None:
    assert renderings.output(case) == (case / "rendered.yaml").read_text()


def test_every_value_is_in_the_golden_files_and_in_the_schema() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert EVERYTHING.keys() == values.keys()
    schema = json.loads((CHART / "values.schema.json").read_text())
    assert schema["properties"].keys() - {"global"} == values.keys()


def test_the_port_of_metrics_is_the_deployments() -> None:
    [container] = deployment(metrics__port=9090)["template"]["spec"]["containers"]
    assert "--metrics-bind-address=:9090" in container["args"]
    assert {"name": "metrics", "containerPort": 9090} in container["ports"]


def test_the_operator_takes_all_arguments_that_it_is_given() -> None:
    """Those of the case with every value, but for one that comes last and is none."""
    made = yaml.safe_load_all((renderings.GOLDEN / "everything" / "rendered.yaml").read_text())
    [spec] = [m["spec"]["template"]["spec"] for m in made if m["kind"] == "Deployment"]
    given = [*spec["containers"][0]["args"], "--none"]
    result = CliRunner().invoke(main, given)
    assert result.output.splitlines()[-1] == "Error: No such option '--none'."


@pytest.mark.parametrize(
    ("image", "helpers"),
    [("operator", ""), ("podpatterns/operator", "podpatterns"), ("a.example/b/c/operator", "a.example/b/c")],
)
def test_helpers_are_beside_the_operator(image: str, helpers: str) -> None:
    assert f"--helper-image-repository={helpers}" in arguments(image__repository=image)


def test_an_empty_list_may_be_null() -> None:
    """As in a file of values in which all items are commented out."""
    names = [n for n, v in yaml.safe_load((CHART / "values.yaml").read_text()).items() if isinstance(v, list)]
    assert "watchNamespaces" in names
    assert renderings.rendered(*(f"--set-json={name}=null" for name in names))


def test_null_takes_out_what_the_chart_sets() -> None:
    def fields(**values: Any) -> set[str]:
        spec = deployment(**values)["template"]["spec"]
        return {*spec, *(f"container.{name}" for name in spec["containers"][0])}

    for value, field in {
        "podSecurityContext": "securityContext",
        "securityContext": "container.securityContext",
        "topologySpreadConstraints": "topologySpreadConstraints",
    }.items():
        assert fields() - fields(**{value: None}) == {field}


def test_nothing_is_wrong_with_the_objects_of_helm_test() -> None:
    result = CliRunner().invoke(main, ["check", "--filename=-"], input=rendered("tests/objects"))
    assert (result.exit_code, result.output) == (0, "3 objects checked: nothing is wrong\n")


def test_two_replicas_can_lose_one_to_a_drain() -> None:
    budget = yaml.safe_load(rendered("poddisruptionbudget"))["spec"]
    made = deployment()
    assert (made["replicas"], budget["maxUnavailable"]) == (2, 1)
    assert budget["selector"] == made["selector"]
    [spread] = made["template"]["spec"]["topologySpreadConstraints"]
    assert spread["labelSelector"] == made["selector"]


def test_with_namespaces_nothing_is_granted_in_the_cluster() -> None:
    made = list(yaml.safe_load_all((renderings.GOLDEN / "namespaces" / "rendered.yaml").read_text()))
    assert not [m for m in made if m["kind"].startswith("Cluster")]
    roles = [m for m in made if m["kind"] == "Role" and m["metadata"]["name"] == "podpatterns-operator"]
    whole = next(yaml.safe_load_all(rendered("clusterrole")))["rules"]
    assert {r["metadata"]["namespace"]: r["rules"] for r in roles} == {"shop": whole, "blog": whole}


def test_both_charts_bring_the_same_kinds_and_roles() -> None:
    def made(*arguments: str | Path) -> dict[str, Any]:
        text = run(program("helm"), "template", "x", *arguments)
        found = yaml.load_all(text, yaml.CSafeLoader)
        return {
            m["metadata"]["name"]: (m.get("spec"), m.get("rules"), m.get("aggregationRule")) for m in found
        }

    alone = made(CHART.with_name("podpatterns-crds"))
    assert len(alone) == 5
    assert made(CHART, "--show-only=templates/crds.yaml") == alone


def test_without_peers_nobody_may_scrape() -> None:
    policy = yaml.safe_load(rendered("networkpolicy", networkPolicy={"enabled": True}))
    assert policy["spec"]["ingress"] == [{"ports": [{"port": "health"}]}]


@pytest.mark.parametrize("name", ["networkpolicy", "prometheusrule", "dashboards"])
def test_what_needs_another_project_is_made_on_demand(name: str) -> None:
    with pytest.raises(CommandFailed, match="could not find template"):
        rendered(name)


def named(made: str) -> dict[str, Any]:
    """Return the policies by name."""
    policies = [obj for obj in yaml.safe_load_all(made) if obj["kind"] == "ValidatingAdmissionPolicy"]
    return {policy["metadata"]["name"]: policy["spec"] for policy in policies}


def test_self_service_takes_the_place_of_the_right_to_create_pods() -> None:
    default, self_service = (
        named(rendered("policies")),
        named(rendered("policies", admission__selfService=True)),
    )

    assert default.keys() == self_service.keys() > {"podpatterns-authors"}
    conditions = [
        [c["name"] for c in of["podpatterns-authors"]["matchConditions"]] for of in (default, self_service)
    ]
    assert conditions == [["spec-changes"], ["spec-changes", "may-not-create-pods"]]


def test_the_leash_is_the_operators() -> None:
    [leash] = named(rendered("leash")).values()

    [condition] = leash["matchConditions"]
    user = "system:serviceaccount:operators:podpatterns-operator"
    assert condition["expression"] == f"request.userInfo.username == '{user}'"


def test_each_operator_of_some_namespaces_has_a_leash_of_its_own() -> None:
    made = rendered("leash", watchNamespaces=["shop"])

    policy, binding = yaml.safe_load_all(made)
    assert policy["metadata"]["name"] == binding["metadata"]["name"] == binding["spec"]["policyName"]
    assert policy["metadata"]["name"] == "podpatterns-leash-operators"


@pytest.mark.parametrize("value", ["admission__leash", "admissionPolicies__enabled"])
def test_the_leash_can_be_taken_off(value: str) -> None:
    with pytest.raises(CommandFailed, match="could not find template"):
        rendered("leash", **{value: False})


def rights() -> Iterator[tuple[str, str, list[str]]]:
    """Yield the operator's rights in the whole cluster: group, resource and verbs."""
    role = next(yaml.safe_load_all(rendered("clusterrole")))
    for rule in role["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                yield group, resource, rule["verbs"]


def test_whatever_the_operator_may_write_is_on_the_leash() -> None:
    writes = {
        (group, resource) for group, resource, verbs in rights() if {"create", "patch", "delete"} & {*verbs}
    }
    leashed = {(group, r) for rule in RULES for group in rule["apiGroups"] for r in rule["resources"]}

    assert writes - leashed == {
        ("", "events"),
        *((GROUP, f"{kind}/status") for kind in ("sidecarapps", "ambassadors", "adapters")),
    }
    assert leashed <= writes


def test_the_readme_gives_a_reason_for_each_right() -> None:
    text = (CHART / "README.md").read_text().split("## Permissions")[1].split("\n\n")[1]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()[2:]]
    told = {name: verbs for names, verbs, _ in rows for name in re.findall("`([^`]+)`", names)}
    kinds = ["sidecarapps", "ambassadors", "adapters"]
    for _, resource, verbs in rights():
        name = resource.partition("/")[2] if resource.partition("/")[0] in kinds else ""
        assert told[name or resource] == ", ".join(verbs), resource


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("admission__selfService", "yes"),
        ("admission__webhook", True),
        ("metrics__port", 8080),
        ("metrics__serviceMonitor__interval", "often"),
        ("prometheusRule__rules", []),
        ("networkPolicy__metricsFrom", {}),
        ("dashboards__labels", ["grafana"]),
        ("helperImages__digests", {"redis": f"sha256:{'0' * 64}"}),
        ("helperImages__digests", {"redis-ambassador": "latest"}),
        ("podDisruptionBudget__maxUnavailable", "half"),
        ("watchNamespaces", ["Shop"]),
        ("watchNamespaces", "shop"),
        ("extraArgs", ["run"]),
        ("env", [{"HTTPS_PROXY": "x"}]),
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
