"""The subjects of a comparison: the same Pods, kept by a built-in controller or by the operator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Side = Literal["ours", "theirs"]

LABEL = "app"
"""Carries the name of the object on each of its Pods."""


@dataclass(frozen=True)
class Subject:
    side: Side
    kind: str
    api_version: str
    plural: str
    settings: tuple[tuple[str, str], ...] = ()
    """Fields of its spec besides replicas and Pod template."""

    def __str__(self) -> str:
        return self.kind if self.side == "theirs" else f"{self.kind}-{dict(self.settings)['podNaming']}"

    def collection(self, namespace: str) -> str:
        return f"/apis/{self.api_version}/namespaces/{namespace}/{self.plural}"

    def manifest(self, name: str, replicas: int, helper_image: str = "helper:1") -> dict[str, Any]:
        """An object of `replicas` Pods of two containers each."""
        labels = {LABEL: name}
        web, helper = {"name": "web", "image": "web:1"}, {"name": "helper", "image": helper_image}
        spec: dict[str, Any] = {"replicas": replicas, **dict(self.settings)}
        if self.side == "ours":
            spec["template"] = {"metadata": {"labels": labels}, "spec": {"containers": [web]}}
            spec["sidecars"] = [{**helper, "order": "WithApp"}]
        else:
            spec["selector"] = {"matchLabels": labels}
            spec["template"] = {"metadata": {"labels": labels}, "spec": {"containers": [web, helper]}}
        return {
            "apiVersion": self.api_version,
            "kind": self.kind,
            "metadata": {"name": name, "labels": labels},
            "spec": spec,
        }


def _ours(naming: str) -> Subject:
    return Subject("ours", "SidecarApp", "podpatterns.dev/v1alpha1", "sidecarapps", (("podNaming", naming),))


GENERATED, STABLE = _ours("Generated"), _ours("Stable")
REPLICASET = Subject("theirs", "ReplicaSet", "apps/v1", "replicasets")
DEPLOYMENT = Subject("theirs", "Deployment", "apps/v1", "deployments")
# Stable makes and replaces its Pods at the same time; OrderedReady would wait for one Pod after another.
STATEFULSET = Subject(
    "theirs", "StatefulSet", "apps/v1", "statefulsets", (("podManagementPolicy", "Parallel"),)
)
