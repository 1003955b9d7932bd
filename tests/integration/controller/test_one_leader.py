"""However they are started, one operator of a cluster leads."""

from __future__ import annotations

from pathlib import Path

from testbed.cluster.control_plane import ControlPlane
from testbed.cluster.operator_process import PROGRAM, OperatorProcess
from testbed.eventually import eventually
from tests.integration.controller.sites import Sites


def test_an_operator_of_another_namespace_does_not_lead_too(
    sites: Sites, operator: OperatorProcess, control_plane: ControlPlane, tmp_path: Path
) -> None:
    """One on a laptop, say, with all of an administrator's rights."""
    command: list[str | Path] = ["env", "POD_NAMESPACE=kube-public", PROGRAM, "run"]
    second = OperatorProcess(control_plane.kubeconfig, tmp_path, "laptop", command)
    second.launch()
    try:
        eventually(lambda: second.ended or any(m["message"] == "In sync" for m in second.messages()))
        sites.ready(replicas=6, podNaming="Generated")
        sites.ready(replicas=3, podNaming="Generated")
        assert not any(m["message"] == "Leading" for m in second.messages())
        assert not operator.ended
    finally:
        second.kill()
