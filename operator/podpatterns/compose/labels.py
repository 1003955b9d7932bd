"""Labels and annotations of the operator on its Pods; annotations for what may change while a Pod runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from podpatterns.api.names import GROUP, KIND_LABEL, NAME_LABEL

KIND, NAME = KIND_LABEL, NAME_LABEL
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
"""Hash of the current configuration files of the Pod's helpers.

A change of an annotation makes the kubelet update a mounted ConfigMap at once instead of within a minute and
a half (https://kubernetes.io/docs/tasks/configure-pod-container/configure-pod-configmap/).
"""


IN_SERVICE = f"{GROUP}/in-service"
"""Condition type of the readiness gate by which a Pod leaves its Services while its application restarts in
place (updateStrategy.inPlace.drainSeconds)."""

HASH = f"{GROUP}/hash"
"""Annotation of the operator's other objects: hash of everything that it wrote into them.

By it the operator notices drift, although servers add defaults, and tells its own content from others'.
"""

EVICTABLE_VOLUMES = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"
"""Volumes, separated by commas, whose content the cluster autoscaler may lose when it removes a node."""


def selector(kind: str, name: str) -> dict[str, str]:
    """Return the labels of all Pods of one object, which no other Pod should have."""
    return {KIND: kind, NAME: name}


def reserved(key: str) -> bool:
    """Return whether the label or annotation is the operator's own."""
    return key.startswith(f"{GROUP}/")


def unreserved(written: Mapping[str, str] | None) -> dict[str, str]:
    """Return the labels or annotations without the reserved ones, which no template may set."""
    return {key: value for key, value in (written or {}).items() if not reserved(key)}


def evictable_with(volumes: Sequence[str], written: Mapping[str, str]) -> dict[str, str]:
    """Return the annotation that adds the volumes to those of the annotations that people wrote.

    What a helper keeps in a volume of its own is worth nothing on another node.
    """
    if not volumes:
        return {}
    names = [name for name in written.get(EVICTABLE_VOLUMES, "").split(",") if name]
    return {EVICTABLE_VOLUMES: ",".join(dict.fromkeys([*names, *volumes]))}
