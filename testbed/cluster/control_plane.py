"""A real Kubernetes API without containers: its control plane as plain processes on loopback.

Objects, admission, RBAC, garbage collection, Deployments and scheduling are the real ones. There is no
kubelet: Pods stay Pending unless `testbed.cluster.kwok` gives them fake nodes.

    python -m testbed.cluster.control_plane     # in the foreground, until Ctrl-C
"""

from __future__ import annotations

import signal
import tempfile
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Self

from testbed.cluster.pki import PKI
from testbed.cluster.process import Process
from testbed.cluster.programs import programs
from testbed.eventually import eventually
from testbed.ports import free_port

if TYPE_CHECKING:
    from types import TracebackType

COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
START_SECONDS = 60
ADMINISTRATOR = ("admin", "system:masters")
OPERATOR = "system:serviceaccount:default:podpatterns-operator"
"""The user that the chart's rights are for, where it is installed in `default`."""
AUDIT_POLICY = Path(__file__).with_name("audit-policy.yaml")


class ControlPlane:
    """etcd, kube-apiserver, kube-controller-manager and kube-scheduler with `directory` for all they write.

    `client_qps` and `client_burst` (requests per second) limit the controller manager and the scheduler;
    the defaults are high so that they are never what a test waits for. With `keep` the processes outlive
    this one.

    A context manager: inside, the API is ready and `kubeconfig` and `tls` belong to an administrator,
    `operator_kubeconfig` to the operator's user, whose writes are in the audit log.
    """

    def __init__(
        self, directory: Path, *, client_qps: int = 500, client_burst: int = 1000, keep: bool = False
    ) -> None:
        self.directory = directory
        self.kubeconfig = directory / "kubeconfig"
        etcd_port, api_port = free_port(), free_port()
        self.url = f"https://127.0.0.1:{api_port}"
        self.etcd_url = f"http://127.0.0.1:{etcd_port}"
        self.keep = keep
        pki = PKI(directory / "pki")
        pki.write_kubeconfig(self.kubeconfig, self.url, *ADMINISTRATOR)
        self.tls = pki.tls_context(*ADMINISTRATOR)
        self.operator_kubeconfig = directory / "operator.kubeconfig"
        pki.write_kubeconfig(self.operator_kubeconfig, self.url, OPERATOR)
        self._audit_log = directory / "audit.log"
        client = [
            "--leader-elect=false",
            "--secure-port=0",
            f"--kube-api-qps={client_qps}",
            f"--kube-api-burst={client_burst}",
        ]
        arguments = {
            "etcd": _etcd(directory, etcd_port),
            "kube-apiserver": [
                *_kube_apiserver(pki, api_port, etcd_port),
                f"--audit-policy-file={AUDIT_POLICY}",
                f"--audit-log-path={self._audit_log}",
            ],
            "kube-controller-manager": [*_kube_controller_manager(pki), *client],
            "kube-scheduler": client,
        }
        for name in ("kube-controller-manager", "kube-scheduler"):
            kubeconfig = directory / f"{name}.kubeconfig"
            pki.write_kubeconfig(kubeconfig, self.url, f"system:{name}")
            arguments[name] = [f"--kubeconfig={kubeconfig}", *arguments[name]]
        self.processes = {
            name: Process([path, *arguments[name]], directory / f"{name}.log", keep=keep)
            for name, path in zip(COMPONENTS, programs(*COMPONENTS), strict=True)
        }

    def __enter__(self) -> Self:
        try:
            for name in self.processes:
                self.start(name)
            # The last thing that a Pod needs; the controller manager makes it.
            self._wait_for("/api/v1/namespaces/default/serviceaccounts/default")
        except BaseException:
            self._kill_all()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.keep:
            for process in self.processes.values():
                process.leave()
        else:
            self._kill_all()

    def start(self, component: str) -> None:
        """Starts `component`; returns from kube-apiserver when it is ready."""
        self.processes[component].start()
        if component == "kube-apiserver":
            self._wait_for("/readyz")

    def stop(self, component: str) -> None:
        """Stops `component` as a rolling update of it would: SIGTERM, then wait until it has ended."""
        self.processes[component].stop()

    def kill(self, component: str) -> None:
        """Kills `component` at once, as a machine's failure would."""
        self.processes[component].kill()

    def restart(self, component: str) -> None:
        """Stops `component` and starts it with the data that it had."""
        self.stop(component)
        self.start(component)

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of the components that run."""
        return {name: process.pid for name, process in self.processes.items() if process.pid}

    @property
    def operator_user(self) -> str:
        return OPERATOR

    def audit(self, position: int) -> bytes:
        """Return the audit log from that byte on."""
        with self._audit_log.open("rb") as log:
            log.seek(position)
            return log.read()

    def audit_end(self) -> int:
        """Return the size of the audit log in bytes."""
        return self._audit_log.stat().st_size

    def log_tail(self) -> str:
        """The last lines of every component's log."""
        return "\n".join(process.log_tail() for process in self.processes.values())

    def _kill_all(self) -> None:
        for process in self.processes.values():
            process.kill()

    def _wait_for(self, path: str) -> None:
        try:
            eventually(lambda: self._answer(path), START_SECONDS, until=lambda answer: answer == "ok")
        except TimeoutError as error:
            raise RuntimeError(f"{path}: {error}\n{self.log_tail()}") from error

    def _answer(self, path: str) -> str:
        """`ok` when the API server has something at `path`, else what is in the way."""
        for process in self.processes.values():
            process.check()
        try:
            with urllib.request.urlopen(self.url + path, timeout=5, context=self.tls):  # noqa: S310
                return "ok"
        except OSError as error:  # refused, reset, timed out, and as HTTPError an answer such as 404
            return str(error)


def _etcd(directory: Path, port: int) -> list[str]:
    url = f"http://127.0.0.1:{port}"
    return [
        f"--data-dir={directory / 'etcd'}",
        f"--listen-client-urls={url}",
        f"--advertise-client-urls={url}",
        "--listen-peer-urls=http://127.0.0.1:0",  # a single member has no peers, but listens
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def _kube_apiserver(pki: PKI, port: int, etcd_port: int) -> list[str]:
    return [
        f"--etcd-servers=http://127.0.0.1:{etcd_port}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        # Loopback cannot be the endpoint of the Service `kubernetes`, and here nobody would use it.
        "--advertise-address=127.0.0.1",
        "--endpoint-reconciler-type=none",
        f"--client-ca-file={pki.ca}",
        f"--tls-cert-file={pki.serving}",
        f"--tls-private-key-file={pki.serving_key}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={pki.service_account_key}",
        f"--service-account-signing-key-file={pki.service_account_key}",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--authorization-mode=Node,RBAC",
        "--allow-privileged=true",
        # Else a stop waits up to a minute for clients to end their watches.
        "--shutdown-watch-termination-grace-period=1s",
    ]


def _kube_controller_manager(pki: PKI) -> list[str]:
    return [
        f"--root-ca-file={pki.ca}",
        f"--service-account-private-key-file={pki.service_account_key}",
        f"--cluster-signing-cert-file={pki.ca}",
        f"--cluster-signing-key-file={pki.ca_key}",
        "--use-service-account-credentials",
        "--horizontal-pod-autoscaler-sync-period=2s",  # instead of 15 s, for tests to wait less
    ]


def _main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="control-plane-") as directory,
        ControlPlane(Path(directory)) as control_plane,
    ):
        print(f"export KUBECONFIG={control_plane.kubeconfig}", flush=True)
        ends = {signal.SIGINT, signal.SIGTERM}
        signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # after the start: programs would inherit it
        signal.sigwait(ends)


if __name__ == "__main__":
    _main()
