"""Where scenarios run: a control plane, fake nodes and the operator behind the proxy."""

from __future__ import annotations

import json
import os
import signal
import sys
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from testbed import short_timeouts
from testbed.cluster.control_plane import ControlPlane
from testbed.cluster.kubectl import Kubectl
from testbed.cluster.operator_process import OperatorProcess
from testbed.cluster.rights import grant_operator_rights
from testbed.cluster.simulated import simulated_cluster
from testbed.faults import Proxy
from testbed.witness import Barrier

if TYPE_CHECKING:
    from collections.abc import Iterator

NOT_ON_TRIAL = ("kube-controller-manager", "kube-scheduler", "kwok")


class Testbed:
    def __init__(self, control_plane: ControlPlane, directory: Path) -> None:
        self.control_plane = control_plane
        self.restarts = 0
        """How often an operator was started again."""
        self.proxy = Proxy(control_plane.operator_kubeconfig, directory, self.kill_operator)
        self._directory = directory
        self._operators: list[OperatorProcess] = []

    def start(self) -> None:
        """Starts the operator, once the proxy runs."""
        self._operators.append(self._operator("operator-0"))
        self._operators[0].start()
        self.barrier = Barrier(Kubectl(self.control_plane.kubeconfig, "chaos-barrier"))

    @property
    def pid(self) -> int:
        """Of the first operator."""
        pid = self._operators[0].pid
        assert pid is not None
        return pid

    @contextmanager
    def standby(self) -> Iterator[None]:
        """Inside, a second operator runs."""
        second = self._operator("operator-1")
        second.start(leading=False)
        self._operators.append(second)
        try:
            yield
        finally:
            self._operators.remove(second)
            second.stop()

    def kill_operator(self) -> None:
        """SIGKILL for the first one, which `revive` starts again, as a kubelet does."""
        if pid := self._operators[0].pid:
            os.kill(pid, signal.SIGKILL)

    def revive(self) -> None:
        """Starts again whatever has ended."""
        for operator in self._operators:
            if operator.ended:
                self.restarts += 1
                operator.launch()
        for name in NOT_ON_TRIAL:
            if self.control_plane.processes[name].ended:
                self.control_plane.processes[name].start()

    def restart_api_server(self) -> None:
        """The operator has to find its way back; the others are restarted along.

        Their back-off grows to half a minute while a server that starts refuses everybody, and a scenario
        would wait for the scheduler alone (seeds 134, 151 and 154).
        """
        self.control_plane.restart("kube-apiserver")
        for name in NOT_ON_TRIAL:
            self.control_plane.processes[name].kill()
            self.control_plane.processes[name].start()

    def compact(self, revision: int) -> None:
        """etcd forgets everything before the revision."""
        body = json.dumps({"revision": str(revision), "physical": True}).encode()
        url = f"{self.control_plane.etcd_url}/v3/kv/compaction"
        with urllib.request.urlopen(url, data=body, timeout=30):  # noqa: S310 (our own etcd)
            pass

    def start_afresh(self) -> None:
        """A new process, so that one scenario's failure is not the next one's."""
        self._operators[0].kill()
        self._operators[0].start()

    def _operator(self, identity: str) -> OperatorProcess:
        command: list[str | Path] = [sys.executable, Path(short_timeouts.__file__), "run"]
        return OperatorProcess(self.proxy.kubeconfig, self._directory, identity, command)

    def stop(self) -> None:
        for operator in self._operators:
            operator.kill()


@contextmanager
def start_testbed(directory: Path) -> Iterator[Testbed]:
    """Everything runs inside; the logs are in `directory`."""
    with ExitStack() as stack:
        control_plane = stack.enter_context(simulated_cluster(ControlPlane(directory)))
        kubectl = Kubectl(control_plane.kubeconfig)
        # The garbage collector looks for new kinds every half minute, but at its start at once.
        control_plane.restart("kube-controller-manager")
        kubectl("create", "namespace", "chaos-barrier")
        kubectl(
            "wait", "--for=create", "serviceaccount/default", "--namespace=chaos-barrier", "--timeout=30s"
        )
        grant_operator_rights(control_plane)
        found = Testbed(control_plane, directory)
        stack.enter_context(found.proxy)
        stack.callback(found.stop)
        found.start()
        yield found
