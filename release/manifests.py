"""The manifests of a release, for those who use no Helm."""

from __future__ import annotations

from typing import Any

import yaml

from testbed.cluster.command import run
from testbed.cluster.images import CHECKOUT
from testbed.cluster.programs import program
from testbed.release import CHART, NAME, NAMESPACE

# What Helm alone reads.
HELM_LABELS = ("helm.sh/chart", "app.kubernetes.io/managed-by")


def crds() -> str:
    """Return the CustomResourceDefinitions in one file."""
    return _documents(file.read_text() for file in sorted((CHECKOUT / "crds").glob("*.yaml")))


def installation(registry: str) -> str:
    """Return what the chart makes by default, with its namespace; images come from `registry`, if given."""
    images = [f"--set=image.repository={registry.rstrip('/')}/operator"] if registry else []
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    rendered = run(
        program("helm"), "template", NAME, CHART, f"--namespace={NAMESPACE}", "--no-hooks", *images
    )
    manifests = [without_helm(manifest) for manifest in yaml.load_all(rendered, yaml.CSafeLoader) if manifest]
    return _documents(yaml.safe_dump(manifest, sort_keys=False) for manifest in (namespace, *manifests))


def without_helm(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return a manifest of the chart as if Helm had not made it."""
    if manifest["kind"] == "Deployment":
        template = manifest["spec"]["template"]
        manifest["spec"]["template"] = {**template, "metadata": _metadata(template["metadata"])}
    return {**manifest, "metadata": _metadata(manifest["metadata"])}


def _metadata(metadata: dict[str, Any]) -> dict[str, Any]:
    labels = {name: value for name, value in metadata.get("labels", {}).items() if name not in HELM_LABELS}
    annotations = {
        name: value
        for name, value in metadata.get("annotations", {}).items()
        if not name.startswith("helm.sh/")
    }
    made = {**metadata, "labels": labels, "annotations": annotations}
    return {name: value for name, value in made.items() if value}


def _documents(texts: Any) -> str:
    return "---\n".join(text.removeprefix("---\n") for text in texts)
