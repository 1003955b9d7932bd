"""The Helm chart: its texts, what it grants, and what an upgrade and an uninstall leave."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from testbed.cluster.command import CommandFailed
from testbed.cluster.crds import CRDS
from testbed.eventually import eventually
from testbed.manifests import container, sidecarapp
from testbed.pod import pod, ready, uid
from testbed.release import CHART, NAME, NAMESPACE, helm, install

if TYPE_CHECKING:
    from testbed.cluster.kubectl import Kubectl


KEPT = {"helm.sh/resource-policy": "keep"}


def test_lint_finds_nothing() -> None:
    helm("lint", "--strict", CHART, CHART.with_name("podpatterns-crds"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("replicas", 2),
        ("image.sha", 0),
        ("replicaCount", "two"),
        ("logLevel", "TRACE"),
        ("image.digest", "sha256:0"),
    ],
)
def test_a_value_unknown_or_wrong_is_refused(name: str, value: object) -> None:
    with pytest.raises(CommandFailed, match=name.rpartition(".")[2]):
        _render(f"--set={name}={value}")


def test_no_rule_has_a_wildcard() -> None:
    objects = _render()
    rules = [rule for kind in ("ClusterRole", "Role") for role in objects[kind] for rule in role["rules"]]
    granted = [item for rule in rules for items in rule.values() for item in items]
    assert granted
    assert not [item for item in granted if "*" in item]


def test_the_packaged_chart_holds_the_generated_crds(tmp_path: Path) -> None:
    helm("package", CHART, f"--destination={tmp_path}")
    (package,) = tmp_path.glob("*.tgz")

    rendered = {crd["metadata"]["name"]: crd for crd in _render(chart=package)["CustomResourceDefinition"]}

    generated = [yaml.load(path.read_text(), yaml.CSafeLoader) for path in CRDS.glob("*.yaml")]
    assert len(rendered) == len(generated) == 3
    for crd in generated:
        crd["metadata"]["annotations"] = KEPT
        assert rendered[crd["metadata"]["name"]] == crd


def test_crds_can_be_left_out() -> None:
    assert "CustomResourceDefinition" not in _render("--set=crds.install=false")


@pytest.mark.usefixtures("operator")
def test_the_operator_may_do_all_that_it_does(kubectl: Kubectl) -> None:
    kubectl.apply(sidecarapp("plain", container("app")))
    kubectl("wait", "--for=condition=Ready", "sidecarapp/plain", "--timeout=60s")

    helm("test", NAME, f"--namespace={NAMESPACE}", "--timeout=180s")
    left = kubectl.get("patterns", f"--namespace={NAMESPACE}")["items"]
    assert not [obj for obj in left if obj["metadata"]["name"].startswith("podpatterns-test")]

    def log() -> str:
        every_pod = ("--selector=app.kubernetes.io/name=podpatterns", "--tail=-1")
        return kubectl("logs", f"--namespace={NAMESPACE}", *every_pod)

    # By then it has listed and watched; "cannot" is the API server's word for what RBAC doesn't allow.
    assert "cannot" not in eventually(log, until=lambda log: "Leading" in log)


@pytest.mark.usefixtures("operator")
def test_a_second_release_is_refused(kubectl: Kubectl) -> None:
    with pytest.raises(CommandFailed, match="invalid ownership metadata"):
        helm("install", "second", CHART, f"--namespace={kubectl.namespace}")


@pytest.mark.usefixtures("operator")
def test_upgrade_and_uninstall_keep_objects_and_pods(kubectl: Kubectl) -> None:
    kubectl.apply(sidecarapp("kept", container("app")))
    kubectl("wait", "--for=condition=Ready", "sidecarapp/kept", "--timeout=60s")
    before = pod(kubectl, "kept-0")

    install("logLevel=DEBUG", "replicaCount=1")
    assert ready(pod(kubectl, "kept-0"))
    assert uid(pod(kubectl, "kept-0")) == uid(before)

    helm("uninstall", NAME, f"--namespace={NAMESPACE}", "--wait")
    try:
        assert ready(pod(kubectl, "kept-0"))
        assert uid(pod(kubectl, "kept-0")) == uid(before)
        # Nobody brings it back while there is no operator, ...
        kubectl("delete", "pod", "kept-0")
        assert pod(kubectl, "kept-0") == {}
    finally:
        install()
    # ... and the next one takes up where the last one left.
    eventually(lambda: ready(pod(kubectl, "kept-0")), 60)


def _render(*arguments: str, chart: Path = CHART) -> dict[str, list[dict[str, Any]]]:
    """The objects that the chart makes, by kind."""
    objects: dict[str, list[dict[str, Any]]] = {}
    for manifest in yaml.load_all(helm("template", NAME, chart, *arguments), yaml.CSafeLoader):
        objects.setdefault(manifest["kind"], []).append(manifest)
    return objects
