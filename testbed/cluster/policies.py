"""The project's own admission policies on a cluster."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.cluster.kubectl import Kubectl

POLICIES = Path(__file__).parents[2] / "policies"
SELF_SERVICE = POLICIES / "self-service"


@contextmanager
def installed_policies(kubectl: Kubectl, *directories: Path) -> Iterator[None]:
    """The policies, installed as a user does, for a while: they are in force in the whole cluster."""
    files = [f"--filename={directory}" for directory in directories or (POLICIES,)]
    for file in files:
        kubectl("apply", file)
    try:
        yield
    finally:
        kubectl("delete", "--ignore-not-found", *files)
