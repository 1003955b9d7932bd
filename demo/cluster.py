"""The cluster of the demonstrations."""

from __future__ import annotations

from testbed.cluster.images import OPERATOR, build_images
from testbed.cluster.kind import Cluster
from testbed.cluster.progress import step


def demo_cluster(*images: str) -> Cluster:
    """Return a kind cluster that has the operator's image and those that the demonstration shows."""
    with step("A kind cluster with the project's images"):
        cluster = Cluster()
        cluster.create()
        cluster.load_images(*build_images(OPERATOR, *images))
    return cluster
