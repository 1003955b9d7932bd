"""What the operator writes on its Pods: labels, and an annotation where it updated one in place."""

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


def selector(kind: str, name: str) -> dict[str, str]:
    """What all Pods of one object carry, and no other Pod should."""
    return {KIND: kind, NAME: name}
