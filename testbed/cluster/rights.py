"""The operator's rights on a control plane of plain processes: those that the chart gives, on its leash."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from testbed.cluster.command import run
from testbed.cluster.kubectl import Kubectl
from testbed.cluster.programs import program

if TYPE_CHECKING:
    from testbed.cluster.control_plane import ControlPlane

CHART = Path(__file__).parents[2] / "charts" / "podpatterns"
TEMPLATES = ("clusterrole", "role", "serviceaccount", "leash")


def grant_operator_rights(control_plane: ControlPlane) -> None:
    """Lets the user of `operator_kubeconfig` do what the chart, installed in `default`, would let it do."""
    shown = [f"--show-only=templates/{name}.yaml" for name in TEMPLATES]
    manifests = run(program("helm"), "template", "podpatterns", CHART, "--namespace=default", *shown)
    # Each object in the namespace that it names: the Lease is in another one than the operator.
    Kubectl(control_plane.kubeconfig)("apply", "--namespace=", "--filename=-", stdin=manifests)
