"""Container of a helper that the operator composes, as its author may alter it."""

from __future__ import annotations

from podpatterns.api.effect import ShapesPod
from podpatterns.api.kubernetes import PartialContainer, ResourceRequirements
from podpatterns.api.model import Model


class HelperContainer(Model):
    """Container of a helper."""

    resources: ShapesPod[ResourceRequirements | None] = None
    """CPU and memory of the helper, as core/v1 ResourceRequirements. Default: requests of 10m CPU and 32Mi
    memory, no limits."""
    container: ShapesPod[PartialContainer | None] = None
    """Fields of a core/v1 Container to merge into the helper's last, such as image, env and securityContext:
    for anything that has no field here. With two proxies into both."""
