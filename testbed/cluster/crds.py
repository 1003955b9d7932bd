"""The project's own kinds on a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from testbed.cluster.kubectl import Kubectl

CRDS = Path(__file__).parents[2] / "crds"


def install_crds(kubectl: Kubectl) -> None:
    """Install the CRDs as a user does, and return when the API server serves them."""
    kubectl("apply", f"--filename={CRDS}")
    kubectl("wait", "--for=condition=Established", f"--filename={CRDS}", "--timeout=30s")
