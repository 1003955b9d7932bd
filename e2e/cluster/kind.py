"""The kind cluster: one node, real containers.

There is one per Docker engine, named `podpatterns`; every checkout keeps a kubeconfig for it in `.cluster/`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_kind import KindCluster

from e2e.cluster import engine
from e2e.cluster.cache import lock
from e2e.cluster.command import CommandFailed, pipe, run
from e2e.cluster.image import image_id
from e2e.cluster.node_image import BUILT, node_image
from e2e.cluster.programs import programs
from e2e.cluster.progress import step
from e2e.eventually import eventually

NAME = "podpatterns"
NODE = f"{NAME}-control-plane"
DIRECTORY = Path(__file__).parents[2] / ".cluster"
KUBECONFIG = DIRECTORY / "kubeconfig"

START_SECONDS = 180
# What works needs no more than this to show it; a cluster that doesn't is made anew sooner than waited for.
REUSE_SECONDS = 5

# The label that an image in the node gets: its id in the engine.
LOADED = "dev.podpatterns.id"


class Cluster(KindCluster):  # type: ignore[misc] # pytest-kind has no types
    """pytest-kind's cluster with pinned programs, a node image that needs no registry, and more patience."""

    def __init__(self) -> None:
        engine.ensure()
        kind, kubectl = programs("kind", "kubectl")
        DIRECTORY.mkdir(exist_ok=True)
        _link(DIRECTORY / "kubectl", kubectl)
        super().__init__(NAME, KUBECONFIG, kind_path=kind, kubectl_path=kubectl)
        self.made = False  # Whether create() made the cluster; if not, it's someone else's to delete.

    def create(self) -> None:
        """Makes the cluster, or takes the one that is there if it has this node image and works."""
        with lock("cluster"):
            self.image = node_image()
            if self._exists() and self._works():
                return
            self.delete()
            with step("Create the kind cluster"):
                configuration = DIRECTORY / "kind.json"
                configuration.write_text(json.dumps(_configuration(self.image), indent=2))
                super().create(configuration)
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
        """Whether the node's container runs, and that from the image we want."""
        try:
            found = run("docker", "container", "inspect", "--format", "{{.State.Running}} {{.Image}}", NODE)
        except CommandFailed:
            return False
        return found == f"true {image_id(self.image)}"

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
        timeout = f"--timeout={seconds}s"
        run(*kubectl, "wait", "--for=condition=Ready", "node", "--all", timeout)
        run(*kubectl, "--namespace=kube-system", "rollout", "status", "deployment/coredns", timeout)
        run(*kubectl, "--namespace=default", "wait", "--for=create", "serviceaccount/default", timeout)


def _link(link: Path, target: Path) -> None:
    """For whoever works with the cluster by hand: this kubectl fits it."""
    new = link.with_suffix(".new")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(link)


def _configuration(image: str) -> dict[str, object]:
    kubelet: dict[str, object] = {
        "kind": "KubeletConfiguration",
        # Many machines still have cgroup v1; the kubelet wants to be told that it's all right.
        "failCgroupV1": False,
    }
    if image == BUILT:  # This one brings the network of its Pods along, and what they resolve names with.
        kubelet["resolvConf"] = "/kind/pod-resolv.conf"
    return {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "networking": {"disableDefaultCNI": image == BUILT},
        "kubeadmConfigPatches": [json.dumps(kubelet)],
    }


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
