"""What the operator writes on its Pods: labels, and annotations for what may change while they run."""

from __future__ import annotations

from podpatterns.api import GROUP

KIND = f"{GROUP}/kind"
NAME = f"{GROUP}/name"
REVISION = f"{GROUP}/revision"
POD_INDEX = f"{GROUP}/pod-index"
UPDATED_CONTAINERS = f"{GROUP}/updated-containers"
"""JSON: the containers of the last update in place -> the container ID and the image that each had before it.

The update has arrived when the IDs are others. It is kept on the Pod, and written by the same patch as the
new image, because a Pod says Ready for seconds after that patch, and an operator that starts in these seconds
would believe it."""

CONFIGURATION = f"{GROUP}/configuration"
"""A hash of the configuration files that the Pod's helpers are given. A change of an annotation makes the
kubelet bring a changed ConfigMap into the Pod at once instead of within a minute and a half
(https://kubernetes.io/docs/tasks/configure-pod-container/configure-pod-configmap/)."""


def selector(kind: str, name: str) -> dict[str, str]:
    """What all Pods of one object carry, and no other Pod should."""
    return {KIND: kind, NAME: name}
