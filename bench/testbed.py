"""Where the subjects meet: one API server, fake nodes, kube-controller-manager and the operator."""

from __future__ import annotations

import shutil
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING

from aiohttp import ServerDisconnectedError

from bench.api import Api
from testbed.cluster.control_plane import ControlPlane
from testbed.cluster.kubectl import Kubectl
from testbed.cluster.namespace import own_namespace
from testbed.cluster.operator_process import OperatorProcess
from testbed.cluster.simulated import simulated_cluster
from testbed.eventually import eventually
from testbed.usage import cpu_seconds, idle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from bench.subject import Side, Subject

KCM = "kube-controller-manager"
SERVICE_ACCOUNT = "system:serviceaccount:default:bench"
UNLIMITED = 10_000
"""Client requests per second that are never reached."""
DEFAULT_LIMITS = ("--kube-api-qps=20", "--kube-api-burst=30")
"""kube-controller-manager's own: requests per second of each of its controllers."""
CLEARED_TIMEOUT = 900.0
"""Seconds."""


class Testbed:
    def __init__(self, control_plane: ControlPlane, operator: OperatorProcess, api: Api) -> None:
        self.api = api
        self.operator = operator
        self._control_plane = control_plane

    def pid(self, side: Side) -> int:
        """The process that keeps the Pods of that side."""
        pid = self.operator.pid if side == "ours" else self._control_plane.pids[KCM]
        assert pid is not None
        return pid

    def stop(self, side: Side) -> None:
        if side == "ours":
            self.operator.stop()
        else:
            self._control_plane.stop(KCM)

    def launch(self, side: Side) -> None:
        """Returns at once."""
        if side == "ours":
            self.operator.launch()
        else:
            self._control_plane.start(KCM)

    def limit_theirs(self) -> None:
        """From its next start on, kube-controller-manager has the client limits that it has by default."""
        self._control_plane.processes[KCM].command.extend(DEFAULT_LIMITS)

    async def cpu_seconds(self, side: Side) -> float:
        """Return the CPU time of its process when nothing is left to do."""
        await idle(self.pid(side))
        return cpu_seconds(self.pid(side))

    @asynccontextmanager
    async def namespace(self, title: str, *subjects: Subject) -> AsyncIterator[str]:
        """A namespace for the objects of `subjects`; they and their Pods are gone afterwards."""
        with own_namespace(self._control_plane.kubeconfig, title, keep=True) as namespace:
            yield namespace
            for subject in subjects:
                await self._clear(subject.collection(namespace), propagationPolicy="Background")
            # By force: the cluster's own collection of the Pods is not what is measured.
            await self._clear(f"/api/v1/namespaces/{namespace}/pods", gracePeriodSeconds="0")

    async def _clear(self, path: str, **params: str) -> None:
        async def left() -> int:
            # The API server's time limit can take the connection along.
            with suppress(ServerDisconnectedError):
                await self.api.delete(path, **params)
            return len(await self.api.versions(path))

        await eventually(left, CLEARED_TIMEOUT, until=lambda left: not left)


@contextmanager
def _processes(directory: Path) -> Iterator[tuple[ControlPlane, OperatorProcess]]:
    unlimited = ControlPlane(directory, client_qps=UNLIMITED, client_burst=UNLIMITED)
    with simulated_cluster(unlimited) as control_plane:
        operator = OperatorProcess(_service_account(control_plane), directory)
        operator.start()
        try:
            yield control_plane, operator
        except Exception as error:
            error.add_note(operator.log_tail())
            raise
        finally:
            operator.kill()


def _service_account(control_plane: ControlPlane) -> Path:
    """A kubeconfig of the operator.

    It comes with a ServiceAccount's token, as kube-controller-manager's controllers do: the API server treats
    administrators better, and whoever is audited worse.
    """
    kubeconfig = control_plane.directory / "bench.kubeconfig"
    shutil.copyfile(control_plane.kubeconfig, kubeconfig)
    kubectl = Kubectl(kubeconfig)
    kubectl("create", "serviceaccount", "bench")
    kubectl(
        "create",
        "clusterrolebinding",
        "bench",
        "--clusterrole=cluster-admin",
        "--serviceaccount=default:bench",
    )
    token = kubectl("create", "token", "bench", "--duration=24h").strip()
    kubectl("config", "set-credentials", "bench", f"--token={token}")
    kubectl("config", "set-context", "--current", "--user=bench")
    return kubeconfig


@asynccontextmanager
async def start_testbed(directory: Path) -> AsyncIterator[Testbed]:
    """Everything runs inside, with logs in `directory`."""
    with _processes(directory) as (control_plane, operator):
        async with Api(control_plane.url, control_plane.tls) as api:
            yield Testbed(control_plane, operator, api)
