"""What the roles of the charts let people do who have Kubernetes' own view and edit in a namespace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from testbed.cluster.command import run
from testbed.cluster.control_plane import ControlPlane
from testbed.cluster.kubectl import Kubectl, KubectlError
from testbed.cluster.programs import program
from testbed.cluster.rights import CHART
from testbed.eventually import eventually
from testbed.manifests import container, sidecarapp

KINDS = ("sidecarapps", "ambassadors", "adapters")
READ = {"get", "list", "watch"}
WRITE = {"create", "update", "patch", "delete", "deletecollection"}


@pytest.fixture(scope="module", autouse=True)
def _roles(control_plane: ControlPlane, crds: Path) -> None:
    made = run(program("helm"), "template", "kinds", CHART.with_name("podpatterns-crds"))
    roles = [m for m in yaml.load_all(made, yaml.CSafeLoader) if m["kind"] == "ClusterRole"]
    Kubectl(control_plane.kubeconfig).apply(*roles)


class Person(Kubectl):
    """A user with one of Kubernetes' roles in the namespace."""

    def __init__(self, administrator: Kubectl, role: str) -> None:
        super().__init__(administrator.kubeconfig, administrator.namespace)
        administrator("create", "rolebinding", role, f"--clusterrole={role}", f"--user={role}")
        self.command.append(f"--as={role}")

    def rights(self) -> dict[str, set[str]]:
        """The verbs of ours, by resource, once the cluster has aggregated the roles."""
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectRulesReview",
            "spec": {"namespace": self.namespace},
        }
        arguments = ("create", "--filename=-", "--validate=false", "--output=json")

        def granted() -> dict[str, set[str]]:
            answer = self(*arguments, stdin=yaml.safe_dump(review))
            rules: list[dict[str, Any]] = yaml.safe_load(answer)["status"]["resourceRules"]
            found: dict[str, set[str]] = {}
            for rule in rules:
                if "podpatterns.dev" in rule["apiGroups"]:
                    for resource in rule["resources"]:
                        found.setdefault(resource, set()).update(rule["verbs"])
            return found

        return eventually(granted)


def test_view_reads_and_edit_writes_and_nobody_writes_a_status(kubectl: Kubectl) -> None:
    def each(verbs: set[str], of_scale: set[str]) -> dict[str, set[str]]:
        return dict.fromkeys(KINDS, verbs) | {f"{k}/scale": of_scale for k in KINDS}

    assert Person(kubectl, "view").rights() == each(READ, {"get"})
    for role in ("edit", "admin"):
        assert Person(kubectl, role).rights() == each(READ | WRITE, {"get", "update", "patch"})


def test_they_work(kubectl: Kubectl) -> None:
    editor, viewer = Person(kubectl, "edit"), Person(kubectl, "view")
    assert editor.rights()
    assert viewer.rights()
    editor.apply(sidecarapp("site", container("app")))
    editor("scale", "sidecarapp/site", "--replicas=3")
    assert viewer.get("sidecarapp", "site")["spec"]["replicas"] == 3
    with pytest.raises(KubectlError, match="cannot patch"):
        viewer("scale", "sidecarapp/site", "--replicas=4")
    with pytest.raises(KubectlError, match=r'cannot \w+ resource "sidecarapps/status"'):
        editor("patch", "sidecarapp/site", "--subresource=status", "--type=merge", "--patch={}")
    editor("delete", "sidecarapp/site")
