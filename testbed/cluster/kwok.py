"""Fake nodes: kwok plays their kubelets, so that Pods become Ready by the thousand without a container.

How a fake node and its Pods live is written in the Stage objects in `kwok/`.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from testbed.cluster.kubectl import Kubectl
from testbed.cluster.process import Process
from testbed.cluster.programs import program
from testbed.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.cluster.control_plane import ControlPlane

STAGES = Path(__file__).parent / "kwok"
LABEL = "kwok.x-k8s.io/node"


@contextmanager
def fake_nodes(control_plane: ControlPlane, count: int = 10) -> Iterator[None]:
    """Inside, the control plane has `count` Ready nodes that run whatever is scheduled to them."""
    kubectl = Kubectl(control_plane.kubeconfig)
    kwok = Process(
        [
            program("kwok"),
            f"--kubeconfig={control_plane.kubeconfig}",
            f"--manage-nodes-with-label-selector={LABEL}=fake",
            "--cidr=10.244.0.0/16",
            *(f"--config={stage}" for stage in sorted(STAGES.glob("*.yaml"))),
        ],
        control_plane.directory / "kwok.log",
        keep=control_plane.keep,
    )
    control_plane.processes["kwok"] = kwok
    kwok.start()
    try:
        kubectl.apply(*(_node(f"fake-{index}") for index in range(count)))
        eventually(lambda: _ready(kubectl, kwok), until=lambda ready: ready == count)
        yield
    finally:
        if not control_plane.keep:
            kwok.kill()


def _ready(kubectl: Kubectl, kwok: Process) -> int:
    """Return the number of Ready nodes."""
    kwok.check()
    conditions = [
        condition
        for node in kubectl.get("node", f"--selector={LABEL}=fake")["items"]
        for condition in node["status"].get("conditions", [])
    ]
    return sum(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def _node(name: str) -> dict[str, Any]:
    labels = {LABEL: "fake", "kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}
