from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from testbed.cluster.control_plane import COMPONENTS, ControlPlane
from testbed.cluster.kubectl import Kubectl, KubectlError
from testbed.cluster.programs import version
from testbed.eventually import eventually

if TYPE_CHECKING:
    from pathlib import Path


def test_client_and_server_are_the_pinned_kubernetes(kubectl: Kubectl) -> None:
    versions = json.loads(kubectl("version", "--output=json"))
    assert versions["clientVersion"]["gitVersion"] == version("kubectl")
    assert versions["serverVersion"]["gitVersion"] == version("kube-apiserver")


@pytest.mark.usefixtures("nodes")
def test_pod_of_a_deployment_runs_on_a_fake_node(kubectl: Kubectl) -> None:
    kubectl("create", "deployment", "web", "--image=web")

    def pods() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = kubectl.get("pods")["items"]
        return found

    [pod] = eventually(pods, until=lambda pods: [pod["status"]["phase"] for pod in pods] == ["Running"])
    assert pod["spec"]["nodeName"].startswith("fake-")
    assert pod["status"]["podIP"]
    kubectl("wait", "--for=condition=Available", "deployment/web", "--timeout=30s")

    kubectl("delete", "deployment", "web")
    eventually(pods, until=lambda pods: not pods)


def test_permissions_are_enforced(kubectl: Kubectl, namespace: str) -> None:
    with pytest.raises(KubectlError, match="forbidden"):
        kubectl("get", "secrets", f"--as=system:serviceaccount:{namespace}:default")


def test_objects_survive_a_restart_of_the_api_server(control_plane: ControlPlane, kubectl: Kubectl) -> None:
    kubectl("create", "configmap", "kept")
    before = kubectl.get("configmap", "kept")

    control_plane.restart("kube-apiserver")
    assert kubectl.get("configmap", "kept") == before

    control_plane.kill("kube-apiserver")
    with pytest.raises(KubectlError, match="refused"):
        kubectl.get("configmap", "kept")
    control_plane.start("kube-apiserver")
    assert kubectl.get("configmap", "kept") == before


def test_nothing_is_left_of_a_killed_test_run(tmp_path: Path) -> None:
    program = (
        "import pathlib, signal, sys; from testbed.cluster.control_plane import ControlPlane\n"
        "with ControlPlane(pathlib.Path(sys.argv[1])) as control_plane:\n"
        "    print(*control_plane.pids.values(), flush=True)\n"
        "    signal.pause()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, tmp_path], stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout
        pids = [int(pid) for pid in run.stdout.readline().split()]
        assert len(pids) == len(COMPONENTS)
        run.send_signal(signal.SIGKILL)

    def living() -> list[int]:
        return [pid for pid in pids if _lives(pid)]

    eventually(living, until=lambda pids: not pids, timeout=10)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
