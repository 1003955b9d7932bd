"""A cluster without containers: a control plane, fake nodes and the project's kinds."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from testbed.cluster.crds import install_crds
from testbed.cluster.kubectl import Kubectl
from testbed.cluster.kwok import fake_nodes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.cluster.control_plane import ControlPlane


@contextmanager
def simulated_cluster(control_plane: ControlPlane) -> Iterator[ControlPlane]:
    """Run the control plane with nodes and kinds; an error that leaves carries the ends of its logs."""
    with control_plane, fake_nodes(control_plane):
        install_crds(Kubectl(control_plane.kubeconfig))
        try:
            yield control_plane
        except Exception as error:
            error.add_note(control_plane.log_tail())
            raise
