"""The cluster of the demonstrations."""

from __future__ import annotations

from testbed.cluster.images import build_images
from testbed.cluster.kind import Cluster
from testbed.cluster.progress import step


def demo_cluster() -> Cluster:
    """A kind cluster that has the project's images."""
    with step("A kind cluster with the project's images"):
        cluster = Cluster()
        cluster.create()
        cluster.load_images(*build_images())
    return cluster
