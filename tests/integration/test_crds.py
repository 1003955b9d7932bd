"""Our kinds on a real API server, as a user meets them through kubectl."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from podpatterns.api import API_VERSION, KINDS, Condition, Replacement, Status, UsedBy, parse
from podpatterns.compose import compose, pod_manifest
from testbed.cluster.kubectl import Kubectl, KubectlError

if TYPE_CHECKING:
    from pathlib import Path

PART: dict[str, Any] = {
    "apiVersion": API_VERSION,
    "kind": "SidecarApp",
    "metadata": {"name": "site"},
    "spec": {},
}


@pytest.mark.parametrize("options", [[], ["--server-side"]], ids=["client-side", "server-side"])
def test_applying_the_crds_again_changes_nothing(kubectl: Kubectl, crds: Path, options: list[str]) -> None:
    apply = ["apply", *options, f"--filename={crds}"]
    kubectl(*apply)
    before = kubectl.get("crd")

    kubectl(*apply)

    assert versions(kubectl.get("crd")) == versions(before)


def versions(crds: dict[str, Any]) -> dict[str, str]:
    return {crd["metadata"]["name"]: crd["metadata"]["resourceVersion"] for crd in crds["items"]}


@pytest.mark.parametrize("options", [[], ["--server-side"]], ids=["client-side", "server-side"])
def test_every_example_applies_and_applying_it_again_changes_nothing(
    kubectl: Kubectl, crds: Path, options: list[str]
) -> None:
    """Nor does kubectl say so: a default in a list would be a difference to what is written."""
    examples = crds.parent / "examples"
    apply = ["apply", *options, f"--filename={examples}", "--recursive"]
    kubectl(*apply)

    stored = kubectl.get("patterns")["items"]
    written = [m for file in examples.rglob("*.yaml") for m in yaml.safe_load_all(file.read_text())]
    assert {(o["kind"], o["metadata"]["name"]) for o in stored} == {
        (m["kind"], m["metadata"]["name"]) for m in written if m["apiVersion"] == API_VERSION
    }
    assert {parse(o).kind for o in stored} == {kind.kind for kind in KINDS}
    table = kubectl("get", "patterns")
    assert {f"{o['kind'].lower()}.podpatterns.dev/{o['metadata']['name']}" for o in stored} == {
        line.split()[0] for line in table.splitlines() if line and not line.startswith("NAME")
    }
    assert table.splitlines()[0].split() == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "REASON", "AGE"]

    told = kubectl(*apply)  # with its first update an object gets the default of its status
    before = kubectl.get("patterns")

    kubectl(*apply)

    assert kubectl.get("patterns") == before
    assert {line.split()[-1] for line in told.splitlines()} == {
        "serverside-applied" if options else "unchanged"
    }


DUPLICATES = {
    "containers": [
        {
            "name": "web",
            "image": "nginx",
            "env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}],
            "ports": [{"containerPort": 80, "hostPort": 8080}, {"containerPort": 80, "hostPort": 8081}],
        }
    ],
    "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["a"]}, {"ip": "10.0.0.1", "hostnames": ["b"]}],
    "imagePullSecrets": [{"name": "registry"}, {"name": "registry"}],
}


def test_a_deployments_template_is_taken_as_it_is(kubectl: Kubectl, crds: Path) -> None:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": DUPLICATES}
    deployment = {"selector": {"matchLabels": labels}, "replicas": 0, "template": template}
    meta = {"metadata": {"name": "web"}}
    for manifest in (
        {"apiVersion": "apps/v1", "kind": "Deployment", **meta, "spec": deployment},
        {"apiVersion": API_VERSION, "kind": "SidecarApp", **meta, "spec": {"template": template}},
    ):
        kubectl("create", "--filename=-", stdin=yaml.safe_dump(manifest))
    stored = kubectl.get("sidecarapp", "web")
    assert stored["spec"]["template"] == template
    app = parse(stored)
    pod = pod_manifest(app, compose(app, {}), "web-0", 0)
    created = json.loads(kubectl("create", "--filename=-", "--output=json", stdin=json.dumps(pod)))
    assert [variable["value"] for variable in created["spec"]["containers"][0]["env"]] == ["1", "2"]
    assert [port["hostPort"] for port in created["spec"]["containers"][0]["ports"]] == [8080, 8081]


def test_explain_teaches(kubectl: Kubectl, crds: Path) -> None:
    shared_volumes = kubectl("explain", "sidecarapp.spec.sharedVolumes")
    for fields in (
        "mountPath\t<string>",
        "medium\t<string>",
        "mounts\t<[]Object>",
        "name\t<string> -required-",
    ):
        assert fields in shared_volumes
    assert "Directories through which the containers of a Pod exchange files." in shared_volumes
    assert "Default: the node's disk." in shared_volumes

    assert "containerPort\t<integer> -required-" in kubectl(
        "explain", "ambassador.spec.template.spec.containers.ports"
    )
    assert "observedGeneration" in kubectl("explain", "adapter.status")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_a_kind_has_all_its_names(kubectl: Kubectl, crds: Path, kind: Any) -> None:
    resources = kubectl("api-resources", "--categories=patterns", "--no-headers", "--output=wide")
    line = next(line for line in resources.splitlines() if line.split()[0] == kind.plural)

    assert line.split()[1:5] == [kind.short_name, "podpatterns.dev/v1alpha1", "true", kind.kind]
    for name in (kind.short_name, kind.singular, kind.plural):
        assert kubectl("get", name, "--output=name") == ""


def test_the_status_is_kept_and_shown(kubectl: Kubectl, crds: Path) -> None:
    time = "2026-01-31T12:00:00Z"
    status = Status(
        observed_generation=1,
        replicas=3,
        ready_replicas=3,
        ready_pods="3/3",
        updated_replicas=2,
        available_replicas=1,
        terminating_replicas=0,
        replacements=4,
        recent_replacements=(
            Replacement(
                name="site-0", old_uid="a", new_uid="b", reason="Deleted", time=time, duration="3.2s"
            ),
        ),
        current_revision="site-1",
        update_revision="site-2",
        selector="app=site",
        used_by=(UsedBy(kind="Adapter", name="legacy"),),
        conditions=(
            Condition(
                type="Ready", status="False", reason="Updating", message="2 of 3", last_transition_time=time
            ),
        ),
    ).manifest()
    kubectl.apply(PART)

    manifest = yaml.safe_dump({**PART, "status": status})
    kubectl("apply", "--server-side", "--subresource=status", "--filename=-", stdin=manifest)

    assert kubectl.get("sidecarapp", "site")["status"] == status
    columns = kubectl("get", "sca", "site", "--no-headers", "--output=wide").split()
    assert columns[:5] == ["site", "3/3", "2", "1", "Updating"]
    assert columns[6:] == ["site-2", "4"]


def test_an_object_can_be_scaled(kubectl: Kubectl, crds: Path) -> None:
    kubectl.apply(PART)

    kubectl("scale", "sidecarapp/site", "--replicas=5")

    assert kubectl.get("sidecarapp", "site")["spec"]["replicas"] == 5
    assert kubectl.get("sidecarapp", "site", "--subresource=scale")["kind"] == "Scale"


@pytest.mark.parametrize(
    ("spec", "client_side", "server_side"),
    [
        (
            {"sharedVolumes": [{"name": "a", "mountPath": "/a", "sizeLimt": "1Gi"}]},
            'unknown field "spec.sharedVolumes[0].sizeLimt"',
            '.spec.sharedVolumes[name="a"].sizeLimt: field not declared in schema',
        ),
        (
            {"template": {"spec": {"containers": [{"name": "web", "imagee": "nginx"}]}}},
            'unknown field "spec.template.spec.containers[0].imagee"',
            '.spec.template.spec.containers[name="web"].imagee: field not declared in schema',
        ),
        (
            {"replicas": "2"},
            'spec.replicas in body must be of type integer: "string"',
            ".spec.replicas: expected numeric (int or float), got string",
        ),
        (
            {"sidecars": [{"name": "a", "resources": {"limits": {"memory": "1 GB"}}}]},
            "spec.sidecars[0].resources.limits.memory",
            "spec.sidecars[0].resources.limits.memory",
        ),
        (
            {"sharedVolumes": [{"mountPath": "/a"}]},
            "spec.sharedVolumes[0].name: Required value",
            'an element that omits all key fields ["name"]',
        ),
    ],
    ids=["unknown", "unknown-in-template", "type", "quantity", "missing"],
)
def test_a_wrong_field_is_refused_with_its_path(
    kubectl: Kubectl, crds: Path, spec: dict[str, Any], client_side: str, server_side: str
) -> None:
    manifest = yaml.safe_dump({**PART, "spec": spec})
    for options, message in ([], client_side), (["--server-side"], server_side):
        with pytest.raises(KubectlError) as refused:
            kubectl("apply", *options, "--filename=-", stdin=manifest)
        assert message in str(refused.value)
