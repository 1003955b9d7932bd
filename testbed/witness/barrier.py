"""A sign that the operator has taken in what happened to Pods so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from testbed.eventually import eventually

if TYPE_CHECKING:
    from testbed.cluster.kubectl import Kubectl

MANIFEST = {
    "apiVersion": "podpatterns.dev/v1alpha1",
    "kind": "SidecarApp",
    "metadata": {"name": "barrier"},
    "spec": {
        "template": {
            "spec": {
                "terminationGracePeriodSeconds": 1,
                "containers": [{"name": "barrier", "image": "barrier"}],
            }
        }
    },
}


class Barrier:
    """A SidecarApp in a namespace of its own; the operator watches Pods of all namespaces in one order."""

    def __init__(self, kubectl: Kubectl) -> None:
        self._kubectl = kubectl
        kubectl.apply(MANIFEST)
        eventually(self._uid)

    def wait(self) -> None:
        """Return when the operator has taken in what happened to Pods before this call.

        It makes up for a deleted Pod, and of the deletion it knows from the watch alone.
        """
        before = eventually(self._uid)
        self._kubectl("delete", "pod", "barrier-0", "--wait=false")
        eventually(self._uid, until=lambda uid: uid not in (None, before))

    def _uid(self) -> str | None:
        found = self._kubectl.get("pods", "--field-selector=metadata.name=barrier-0")["items"]
        return found[0]["metadata"]["uid"] if found else None
