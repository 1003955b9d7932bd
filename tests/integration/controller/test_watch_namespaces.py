"""An operator that watches some namespaces, with the rights that the chart gives it there and no others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from testbed.cluster.command import run
from testbed.cluster.control_plane import ControlPlane
from testbed.cluster.kubectl import Kubectl
from testbed.cluster.namespace import own_namespace
from testbed.cluster.operator_process import PROGRAM, OperatorProcess
from testbed.cluster.programs import program
from testbed.cluster.rights import CHART
from testbed.eventually import eventually
from tests.integration.controller.sites import Sites


class Installation:
    """The chart, with `watchNamespaces`, in a namespace of its own."""

    def __init__(
        self, control_plane: ControlPlane, namespace: str, watched: Sequence[str], directory: Path
    ) -> None:
        self.kubectl = Kubectl(control_plane.kubeconfig, namespace)
        self._watched = watched
        arguments = [f"--watch-namespaces={','.join(watched)}", f"--leader-election-namespace={namespace}"]
        self._kubeconfig = directory / "namespaced.kubeconfig"
        self.grant()
        self._log_in(control_plane)
        self.operator = OperatorProcess(
            self._kubeconfig, directory, "namespaced-0", [PROGRAM, "run", *arguments]
        )

    def grant(self) -> None:
        values = f"--set=watchNamespaces={{{','.join(self._watched)}}}"
        shown = [f"--show-only=templates/{name}.yaml" for name in ("role", "serviceaccount")]
        namespace = f"--namespace={self.kubectl.namespace}"
        made = run(program("helm"), "template", "podpatterns", CHART, namespace, values, *shown)
        Kubectl(self.kubectl.kubeconfig)("apply", "--namespace=", "--filename=-", stdin=made)

    def _log_in(self, control_plane: ControlPlane) -> None:
        config: dict[str, Any] = yaml.safe_load(control_plane.kubeconfig.read_text())
        token = self.kubectl("create", "token", "podpatterns-operator", "--duration=1h").strip()
        config["users"][0]["user"] = {"token": token}
        self._kubeconfig.write_text(yaml.safe_dump(config))

    def said(self, start: str) -> list[dict[str, Any]]:
        return [m for m in self.operator.messages() if m["message"].startswith(start)]


@pytest.fixture
def others(control_plane: ControlPlane, namespace: str) -> Iterator[list[str]]:
    """Three more namespaces."""
    with ExitStack() as stack:
        names = ("second", "unwatched", "operators")
        yield [
            stack.enter_context(own_namespace(control_plane.kubeconfig, name, keep=control_plane.keep))
            for name in names
        ]


@pytest.fixture
def installation(
    control_plane: ControlPlane, namespace: str, others: list[str], crds: Path, nodes: None, tmp_path: Path
) -> Iterator[Installation]:
    second, _, operators = others
    made = Installation(control_plane, operators, (namespace, second), tmp_path)
    yield made
    made.operator.kill()


def test_it_works_in_its_namespaces_and_asks_for_nothing_else(
    installation: Installation, control_plane: ControlPlane, namespace: str, others: list[str]
) -> None:
    first, second, unwatched = (
        Sites(Kubectl(control_plane.kubeconfig, name)) for name in (namespace, *others[:2])
    )
    unwatched.apply()
    installation.operator.start()
    first.ready()
    second.ready(replicas=2)
    before = second.uids()
    second.kubectl("delete", "pod", "site-0")
    second.replaced(before, "site-0")
    assert unwatched.pods() == []
    assert unwatched.condition("Ready") == {}
    # "cannot" is the API server's word for what RBAC doesn't allow, "forbidden" ours.
    said = map(str, installation.operator.messages())
    assert [line for line in said if "cannot" in line or "orbidden" in line] == []


def test_a_namespace_without_rights_keeps_no_other_waiting(
    installation: Installation, control_plane: ControlPlane, namespace: str, others: list[str]
) -> None:
    first, second = (Sites(Kubectl(control_plane.kubeconfig, name)) for name in (namespace, others[0]))
    second.kubectl("delete", "rolebinding", "podpatterns-operator")
    second.apply()
    installation.operator.start()
    first.ready()
    assert installation.said("Namespaces forbidden")[0]["namespaces"] == [others[0]]
    assert second.pods() == []
    installation.grant()
    second.wait_until_ready()
    # Not by a whole list that happened to be due, but because kopf watches it.
    second.ready("another")
    before = first.uids()
    first.kubectl("delete", "pod", "site-0")
    first.replaced(before, "site-0")


def test_it_gives_way_to_an_operator_of_all_namespaces(
    installation: Installation,
    control_plane: ControlPlane,
    namespace: str,
    rights: None,
    tmp_path: Path,
) -> None:
    sites = Sites(Kubectl(control_plane.kubeconfig, namespace))
    installation.operator.start()
    sites.ready(replicas=3)
    before = sites.uids()
    whole = OperatorProcess(control_plane.operator_kubeconfig, tmp_path)
    whole.start()
    try:
        eventually(lambda: installation.operator.ended)
        assert "leads in all namespaces" in installation.operator.log_tail()
        installation.operator.launch()
        eventually(lambda: installation.said("An operator for all namespaces leads"))
        sites.ready(replicas=4)
        assert len(installation.said("Leading")) == 1
        assert before.items() <= sites.uids().items()
    finally:
        whole.stop()
    eventually(lambda: len(installation.said("Leading")) == 2)
    sites.ready(replicas=2)
