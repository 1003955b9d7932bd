"""The kind cluster: one node, real containers.

There is one per Docker engine, named `podpatterns`; every checkout keeps a kubeconfig for it in `.cluster/`.
"""

from __future__ import annotations

import json
import os
import re
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from pytest_kind import KindCluster

from testbed.cluster import engine
from testbed.cluster.cache import digest, lock
from testbed.cluster.command import CommandFailed, pipe, run
from testbed.cluster.image import image_id
from testbed.cluster.kubeconfig import server_and_tls
from testbed.cluster.node_image import BUILT, node_image
from testbed.cluster.programs import programs
from testbed.cluster.progress import step
from testbed.eventually import eventually

NAME = "podpatterns"
NODE = f"{NAME}-control-plane"
DIRECTORY = Path(__file__).parents[2] / ".cluster"
KUBECONFIG = DIRECTORY / "kubeconfig"

START_SECONDS = 180
# For a cluster that is there; one that can't come back, as after a restart of the machine, fails at once.
REUSE_SECONDS = 30

# The label that an image in the node gets: its id in the engine.
LOADED = "dev.podpatterns.id"


SERVICES = "10.96.0.0/16"
"""Addresses of Services, kind's default."""
CONFIGURATION = Path(__file__).with_name("kind.yaml")
AUDIT_POLICY = Path(__file__).with_name("audit-policy.yaml")
AUDIT_LOG = "/var/log/podpatterns/audit.log"
MADE_FROM = "/kind/podpatterns.made-from"
"""Both in the node. The second has the digest of the configuration."""


class Cluster(KindCluster):  # type: ignore[misc] # pytest-kind has no types
    """pytest-kind's cluster with pinned programs, a node image that needs no registry, and more timeouts."""

    def __init__(self) -> None:
        engine.ensure()
        kind, kubectl, self._helm = programs("kind", "kubectl", "helm")
        DIRECTORY.mkdir(exist_ok=True)
        super().__init__(NAME, KUBECONFIG, kind_path=kind, kubectl_path=kubectl)
        self.made = False  # Whether create() made the cluster; if not, it's someone else's to delete.

    def create(self) -> None:
        """Makes the cluster, or takes the one that is there if it has this node image and works."""
        with lock("cluster"):
            _link(DIRECTORY / "kubectl", self.kubectl_path)
            _link(DIRECTORY / "helm", self._helm)
            self.image = node_image()
            if self._exists() and self._works():
                return
            self.delete()
            with step("Create the kind cluster"):
                configuration = DIRECTORY / "kind.yaml"
                configuration.write_text(yaml.safe_dump(_configuration(self.image)))
                super().create(configuration)
                run("docker", "exec", NODE, "sh", "-c", f"echo {_made_from()} >{MADE_FROM}")
                # A Service that kube-proxy doesn't know yet refuses. Else its clients' packets leave the
                # node, and in a network that answers for every address they stay with a stranger.
                refuse = ("iptables", "--append", "FORWARD", "--destination", SERVICES, "--jump", "REJECT")
                run("docker", "exec", NODE, *refuse)
                self._await_ready(START_SECONDS)
            self.made = True

    def delete(self) -> None:
        """Deletes the cluster; does nothing when there is none."""
        run(self.kind_path, "delete", "cluster", f"--name={NAME}", f"--kubeconfig={KUBECONFIG}")
        KUBECONFIG.unlink(missing_ok=True)

    def load_images(self, *tags: str) -> None:
        """Copies images of the engine to the node, but for those that are there already."""
        ctr = ["docker", "exec", "--interactive", NODE, "ctr", "--namespace=k8s.io", "images"]
        identities = {_reference(tag): image_id(tag) for tag in tags}
        held = run(
            *ctr,
            "list",
            "--quiet",
            *(f'name=={name},labels."{LOADED}"=={identity}' for name, identity in identities.items()),
        ).splitlines()
        missing = [tag for tag in tags if _reference(tag) not in held]
        if not missing:
            return
        with step(f"Load {', '.join(missing)} into the node"):
            # Streamed through containerd's transfer service it would take twice as long.
            pipe(["docker", "save", *missing], [*ctr, "import", "--local", "-"], subprocess.DEVNULL)
            for name in map(_reference, missing):
                run(*ctr, "label", name, f"{LOADED}={identities[name]}")

    @property
    def url(self) -> str:
        return server_and_tls(KUBECONFIG)[0]

    @property
    def tls(self) -> ssl.SSLContext:
        """To be known to the API server as an administrator."""
        return server_and_tls(KUBECONFIG)[1]

    @property
    def operator_user(self) -> str:
        """As whom the operator of the Helm release speaks to the API server."""
        return "system:serviceaccount:podpatterns-system:podpatterns-operator"

    def audit(self, position: int) -> bytes:
        """Return the API server's audit log from that byte on."""
        command = ["docker", "exec", NODE, "tail", f"--bytes=+{position + 1}", AUDIT_LOG]
        return subprocess.run(command, check=True, capture_output=True).stdout

    def audit_end(self) -> int:
        """Return the size of the audit log in bytes."""
        return int(run("docker", "exec", NODE, "stat", "--format=%s", AUDIT_LOG))

    def tag(self, image: str, *others: str) -> None:
        """Gives an image that the node has other tags too."""
        names = map(_reference, others)
        run(
            "docker",
            "exec",
            NODE,
            *("ctr", "--namespace=k8s.io", "images", "tag", "--force", _reference(image), *names),
        )

    @contextmanager
    def port_forward(self, target: str, port: int, *arguments: str) -> Iterator[int]:
        """A port of this machine that leads to `port` of `target`, such as `service/site`, while inside."""
        command = [
            self.kubectl_path,
            f"--kubeconfig={KUBECONFIG}",
            "port-forward",
            target,
            f":{port}",
            *arguments,
        ]
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
            try:
                yield eventually(lambda: _forwarded_port(process, output.fileno()))
            finally:
                process.terminate()
                process.wait()

    def _exists(self) -> bool:
        """Return True when the node's container runs, from the image and the configuration that we want."""
        try:
            found = run("docker", "container", "inspect", "--format", "{{.Image}}", NODE)
            made_from = run("docker", "exec", NODE, "cat", MADE_FROM)
        except CommandFailed:
            return False
        return (found, made_from) == (image_id(self.image), _made_from())

    def _works(self) -> bool:
        try:
            run(self.kind_path, "export", "kubeconfig", f"--name={NAME}", f"--kubeconfig={KUBECONFIG}")
            self._await_ready(REUSE_SECONDS)
        except CommandFailed:
            return False
        return True

    def _await_ready(self, seconds: int) -> None:
        """Waits for what kind doesn't wait for and every Pod needs."""
        kubectl = [self.kubectl_path, f"--kubeconfig={KUBECONFIG}"]
        timeouts = [f"--timeout={seconds}s", f"--request-timeout={seconds}s"]
        run(*kubectl, "wait", "--for=condition=Ready", "node", "--all", *timeouts)
        dns = ["--namespace=kube-system", "wait", "--for=condition=Available", "deployment/coredns"]
        run(*kubectl, *dns, *timeouts)
        run(*kubectl, "--namespace=default", "wait", "--for=create", "serviceaccount/default", *timeouts)


def _link(link: Path, target: Path) -> None:
    """For whoever works with the cluster by hand: these kubectl and helm fit it."""
    link.unlink(missing_ok=True)
    link.symlink_to(target)


def _configuration(image: str) -> dict[str, Any]:
    configuration: dict[str, Any] = yaml.safe_load(CONFIGURATION.read_text())
    mount = {"hostPath": str(AUDIT_POLICY), "containerPath": "/etc/podpatterns/audit-policy.yaml"}
    configuration["nodes"] = [{"role": "control-plane", "extraMounts": [{**mount, "readOnly": True}]}]
    if image == BUILT:  # This one brings the network of its Pods along, and what they resolve names with.
        configuration["networking"] = {"disableDefaultCNI": True}
        kubelet = {"kind": "KubeletConfiguration", "resolvConf": "/kind/pod-resolv.conf"}
        configuration["kubeadmConfigPatches"].append(json.dumps(kubelet))
    return configuration


def _made_from() -> str:
    return digest(CONFIGURATION, AUDIT_POLICY)


def _reference(tag: str) -> str:
    """The name that containerd has for an image that Docker calls `tag`."""
    return f"docker.io/{tag}"


def _forwarded_port(process: subprocess.Popen[bytes], output: int) -> int:
    """The local port, 0 while kubectl hasn't told it."""
    said = os.pread(output, 4096, 0).decode()
    if process.poll() is not None:
        raise CommandFailed(f"kubectl port-forward ended: {said}")
    found = re.search(r"Forwarding from 127.0.0.1:(\d+)", said)
    return int(found[1]) if found else 0
