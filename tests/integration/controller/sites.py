"""SidecarApps and their Pods, in the words of the tests."""

from __future__ import annotations

from typing import Any

from testbed.cluster.kubectl import Kubectl
from testbed.eventually import eventually
from testbed.manifests import manifest


def sidecarapp(name: str = "site", *, image: str = "web:1", **spec: Any) -> dict[str, Any]:
    """A SidecarApp with one container and one sidecar; `spec` in the words of its manifest."""
    defaults = {
        "template": {
            "spec": {
                "containers": [{"name": "web", "image": image}],
                "terminationGracePeriodSeconds": 1,
            }
        },
        "sidecars": [{"name": "helper", "image": "helper:1"}],
    }
    return manifest("SidecarApp", name, {**defaults, **spec})


class Sites:
    def __init__(self, kubectl: Kubectl) -> None:
        self.kubectl = kubectl

    def apply(self, name: str = "site", **spec: Any) -> None:
        self.kubectl.apply(sidecarapp(name, **spec))

    def apply_part(self, name: str, *, image: str) -> None:
        """A reusable part with one sidecar, called as the part is."""
        self.kubectl.apply(manifest("SidecarApp", name, {"sidecars": [{"name": name, "image": image}]}))

    def ready(self, name: str = "site", **spec: Any) -> list[dict[str, Any]]:
        """Applies a SidecarApp and waits until it is ready; gives its Pods."""
        self.apply(name, **spec)
        self.wait_until_ready(name)
        return self.pods(name)

    def wait_until_ready(self, name: str = "site", timeout: float = 60) -> None:
        """Ready as of its newest generation, and every Pod of the newest revision."""

        def settled(site: dict[str, Any]) -> bool:
            status, meta = site.get("status", {}), site["metadata"]
            return (
                status.get("observedGeneration") == meta["generation"]
                and _condition(site, "Ready").get("status") == "True"
                and _condition(site, "Progressing").get("reason") == "RevisionComplete"
                and status["terminatingReplicas"] == 0
            )

        eventually(lambda: self.get(name), timeout, until=settled)

    def wait_until_collected(self, name: str = "site") -> None:
        """Its Pods are gone. The garbage collector looks for new kinds, such as ours, every 30 s."""
        eventually(lambda: self.pods(name), 90, until=lambda pods: not pods)

    def get(self, name: str = "site") -> dict[str, Any]:
        return self.kubectl.get("sidecarapp", name)

    def condition(self, kind: str, name: str = "site") -> dict[str, Any]:
        """The condition, empty when there is none as of the newest generation."""
        site = self.get(name)
        found = _condition(site, kind)
        return found if found.get("observedGeneration") == site["metadata"]["generation"] else {}

    def pods(self, name: str = "site") -> list[dict[str, Any]]:
        """All its Pods by name, the terminating ones too."""
        labels = f"podpatterns.dev/kind=SidecarApp,podpatterns.dev/name={name}"
        found: list[dict[str, Any]] = self.kubectl.get("pods", f"--selector={labels}")["items"]
        return sorted(found, key=lambda pod: str(pod["metadata"]["name"]))

    def uids(self, name: str = "site") -> dict[str, str]:
        """UIDs of its Pods by name."""
        return {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in self.pods(name)}

    def replaced(self, before: dict[str, str], *names: str) -> None:
        """Waits until the Pods `names` are back under their names with new UIDs."""
        eventually(
            lambda: self.uids("site"),
            until=lambda now: now.keys() == before.keys() and all(now[n] != before[n] for n in names),
        )

    def hold(self, pod: str) -> None:
        """Keeps a deleted Pod from going until it is let go."""
        self._set_finalizers(pod, '["test.example/hold"]')

    def let_go(self, pod: str) -> None:
        self._set_finalizers(pod, "null")

    def _set_finalizers(self, pod: str, value: str) -> None:
        patch = f'{{"metadata":{{"finalizers":{value}}}}}'
        self.kubectl("patch", "pod", pod, "--type=merge", f"--patch={patch}")

    def events(self, name: str = "site") -> set[tuple[str, str]]:
        """Reasons and messages of the events about it."""
        items = self.kubectl.get("events", f"--field-selector=involvedObject.name={name}")["items"]
        return {(event["reason"], event["message"]) for event in items}


def _condition(site: dict[str, Any], kind: str) -> dict[str, Any]:
    conditions = site.get("status", {}).get("conditions", [])
    return next((c for c in conditions if c["type"] == kind), {})
