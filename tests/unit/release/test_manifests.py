from __future__ import annotations

from release.manifests import without_helm


def test_what_helm_alone_reads_is_left_out() -> None:
    labels = {"helm.sh/chart": "podpatterns-1", "app.kubernetes.io/managed-by": "Helm", "app": "operator"}
    crd = {
        "kind": "CustomResourceDefinition",
        "metadata": {"annotations": {"helm.sh/resource-policy": "keep"}},
    }
    deployment = {
        "kind": "Deployment",
        "metadata": {"labels": labels},
        "spec": {"replicas": 2, "template": {"metadata": {"labels": labels}, "spec": {}}},
    }

    assert without_helm(crd) == {"kind": "CustomResourceDefinition", "metadata": {}}
    assert without_helm(deployment) == {
        "kind": "Deployment",
        "metadata": {"labels": {"app": "operator"}},
        "spec": {"replicas": 2, "template": {"metadata": {"labels": {"app": "operator"}}, "spec": {}}},
    }
