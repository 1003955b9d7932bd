"""What Argo CD makes of a status by the health script for it, in the interpreter that it has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from podpatterns.api import GROUP, KINDS
from testbed.cluster.kstatus import argocd_health
from testbed.cluster.kubectl import Kubectl
from testbed.manifests import manifest
from tests.integration.test_kstatus import STATES

SETTINGS = Path(__file__).parents[2] / "argocd" / "argocd-cm.yaml"
KEYS = [f"resource.customizations.health.{GROUP}_{kind.kind}" for kind in KINDS]

HEALTH = {"InProgress": "Progressing", "Current": "Healthy", "Failed": "Degraded"}
"""Argo CD's word for a status of kstatus."""
OTHERWISE = {"paused": "Suspended"}
"""States for which kstatus has no word."""


def test_the_states_that_kstatus_judges(tmp_path: Path) -> None:
    data = yaml.safe_load(SETTINGS.read_text())["data"]
    [text] = {data[key] for key in KEYS}
    script = tmp_path / "health.lua"
    script.write_text(text)
    objects: list[dict[str, Any]] = [
        {**manifest("SidecarApp", "site", {}, generation=1), "status": status} for _, status, _ in STATES
    ]

    found = argocd_health(script, objects)

    assert [(case, health.status) for (case, *_), health in zip(STATES, found, strict=True)] == [
        (case, OTHERWISE.get(case, HEALTH[expected])) for case, _, expected in STATES
    ]
    assert all(health.message not in ("", "nil") for health in found)


def test_the_settings_are_added_to_those_that_are_there(kubectl: Kubectl) -> None:
    kubectl("create", "configmap", "argocd-cm", "--from-literal=url=https://argocd.example.com")

    kubectl("patch", "configmap", "argocd-cm", f"--patch-file={SETTINGS}")

    assert kubectl.get("configmap", "argocd-cm")["data"].keys() == {"url", *KEYS}
