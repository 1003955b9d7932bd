"""Every example works as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from testbed.website import EXAMPLES, SITE, SITES

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.cluster.kubectl import Kubectl
    from testbed.website import Website

FILES = sorted(EXAMPLES.rglob("*.yaml"))


@pytest.mark.usefixtures("operator")
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_example_becomes_ready(kubectl: Kubectl, website: Website, file: Path) -> None:
    if file == SITE:
        website.start_git_server()
        for site in SITES:
            website.push("hello", site)

    kubectl("apply", f"--filename={file}")

    for manifest in yaml.safe_load_all(file.read_text()):
        _await(kubectl, manifest)


def _await(kubectl: Kubectl, manifest: dict[str, Any]) -> None:
    """Waits until what the manifest describes has become what it should."""
    kind, name = manifest["kind"], manifest["metadata"]["name"]
    if kind == "Deployment":
        kubectl("rollout", "status", f"deployment/{name}", "--timeout=60s")
    elif manifest["apiVersion"].startswith("podpatterns.dev/"):
        kubectl("wait", "--for=condition=Ready", f"{kind}/{name}", "--timeout=60s")
