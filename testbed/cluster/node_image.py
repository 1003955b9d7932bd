"""The image of a kind node: the published one, or one made from Debian's packages and our own programs."""

from __future__ import annotations

from pathlib import Path

from testbed.cluster.cache import cached, digest, name_in_cache
from testbed.cluster.command import pipe, run
from testbed.cluster.component_images import PROGRAMS, build_component_images, component_programs
from testbed.cluster.debian import debian
from testbed.cluster.image import Image, image_id, pull
from testbed.cluster.programs import programs, version
from testbed.cluster.progress import step

FILES = Path(__file__).parent / "node"

KUBERNETES = version("kubelet")
PUBLISHED = f"kindest/node:{KUBERNETES}"
BUILT = f"podpatterns/node:{KUBERNETES}"
# The same without the images of Kubernetes.
EMPTY = f"podpatterns/empty-node:{KUBERNETES}"

NODE_PROGRAMS = ("kubeadm", "kubelet", "kubectl", "containerd", "containerd-shim-runc-v2", "ctr")


def node_image() -> str:
    """The tag of a node image that the engine has; fetched, or else built, when it has none."""
    if not image_id(BUILT) and (image_id(PUBLISHED) or pull(PUBLISHED)):
        return PUBLISHED
    base = debian()
    # All at once: one after the other, a processor is idle while the last program of each build is linked.
    programs(*NODE_PROGRAMS, *PROGRAMS)
    tools = {f"programs/{path.name}": path for path in programs(*NODE_PROGRAMS)}
    context = {"Dockerfile": FILES / "Dockerfile", "rootfs": FILES / "rootfs", **tools}
    Image(EMPTY, context, {"DEBIAN": base}).build()
    context = {"Dockerfile": FILES / "preloaded.Dockerfile", "store.tar": _store(base)}
    Image(BUILT, context, {"NODE": EMPTY}).build()
    return BUILT


def _store(base: str) -> Path:
    """A tar of containerd's store with all components' images unpacked."""
    made_from = [*component_programs().values(), *programs("containerd", "ctr")]
    key = digest(FILES / "preload", FILES / "kube-proxy.Dockerfile", *map(name_in_cache, made_from))

    def build(directory: Path) -> None:
        with step("Unpack the images of Kubernetes into containerd's store"):
            images = build_component_images(base)
            _unpack(images, directory / "store.tar")
            run("docker", "image", "rm", *images)

    return cached("node-store", key, build) / "store.tar"


def _unpack(images: list[str], store: Path) -> None:
    # In memory, as overlayfs doesn't take its upper directory from another overlayfs, the container's own.
    # What it writes isn't for the engine's log.
    node = ["docker", "run", "--rm", "--interactive", "--privileged", "--network=none", "--log-driver=none"]
    node += ["--tmpfs=/var/lib/containerd", "--entrypoint=sh", EMPTY, "-c", (FILES / "preload").read_text()]
    with store.open("wb") as file:
        pipe(["docker", "save", *images], node, file)
