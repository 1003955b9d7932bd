"""What the operator writes on its Pods: labels, and annotations for what may change while they run."""

from __future__ import annotations

from collections.abc import Mapping

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

RESIZE = f"{GROUP}/resize"
"""JSON: the revision that a change of resources brings the Pod to, and the resources asked for by container.

Resources and the revision label take two requests, and the operator may end between them. Written before
both, this says of a Pod whose label names another revision that it is between the two. It stays on the Pod:
by it a change of resources that the node puts off is told from one that somebody else asked for."""

CONFIGURATION = f"{GROUP}/configuration"
"""A hash of the configuration files that the Pod's helpers are given. A change of an annotation makes the
kubelet bring a changed ConfigMap into the Pod at once instead of within a minute and a half
(https://kubernetes.io/docs/tasks/configure-pod-container/configure-pod-configmap/)."""


HASH = f"{GROUP}/hash"
"""An annotation of objects that are no Pods: of all that the operator wrote into them. By it drift is judged,
as servers add defaults, and what strangers wrote is told from the operator's own."""


def selector(kind: str, name: str) -> dict[str, str]:
    """What all Pods of one object carry, and no other Pod should."""
    return {KIND: kind, NAME: name}


def reserved(key: str) -> bool:
    """The label or annotation is the operator's own: by these it tells whose a Pod is and what it runs."""
    return key.startswith(f"{GROUP}/")


def unreserved(written: Mapping[str, str] | None) -> dict[str, str]:
    """Labels or annotations without the reserved ones, which a template must never give to a Pod."""
    return {key: value for key, value in (written or {}).items() if not reserved(key)}
