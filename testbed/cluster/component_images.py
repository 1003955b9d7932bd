"""The images of Kubernetes' own components, made from the programs."""

from __future__ import annotations

import functools
import json
from pathlib import Path

from testbed.cluster.command import feed
from testbed.cluster.image import Image, write_tar
from testbed.cluster.own_programs import own_program
from testbed.cluster.programs import programs, version

HERE = Path(__file__).parent

KUBERNETES = version("kube-apiserver")

# One static program is all there is in these. The tags are those that kubeadm asks for
# (cmd/kubeadm/app/constants of Kubernetes).
TAGS = {
    "kube-apiserver": f"registry.k8s.io/kube-apiserver:{KUBERNETES}",
    "kube-controller-manager": f"registry.k8s.io/kube-controller-manager:{KUBERNETES}",
    "kube-scheduler": f"registry.k8s.io/kube-scheduler:{KUBERNETES}",
    "etcd": "registry.k8s.io/etcd:3.7.0-0",
    "coredns": "registry.k8s.io/coredns/coredns:v1.14.6",
    "pause": "registry.k8s.io/pause:3.10.2",
}
KUBE_PROXY = f"registry.k8s.io/kube-proxy:{KUBERNETES}"

PROGRAMS = (*(name for name in TAGS if name != "pause"), "kube-proxy")


def component_programs() -> dict[str, Path]:
    """Where the program of each component is; built first when the cache doesn't have it."""
    return {"pause": own_program(HERE / "pause"), **dict(zip(PROGRAMS, programs(*PROGRAMS), strict=True))}


def build_component_images(debian: str) -> list[str]:
    """Puts all components' images into the engine and gives their tags. kube-proxy's stands on `debian`."""
    components = component_programs()
    for name, tag in TAGS.items():
        path = f"usr/local/bin/{name}"
        entrypoint = f"ENTRYPOINT {json.dumps([f'/{path}'])}"
        command = ["docker", "import", "--change=ENV PATH=/usr/local/bin", f"--change={entrypoint}", "-", tag]
        feed(command, functools.partial(write_tar, content={path: components[name]}))
    dockerfile = HERE / "node" / "kube-proxy.Dockerfile"
    context = {"Dockerfile": dockerfile, "kube-proxy": components["kube-proxy"]}
    Image(KUBE_PROXY, context, {"DEBIAN": debian}).build()
    return [*TAGS.values(), KUBE_PROXY]
