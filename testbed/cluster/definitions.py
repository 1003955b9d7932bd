"""The CustomResourceDefinitions of other projects, out of the Go modules that these publish.

Each directory in `definitions/` is a Go module that pins one in go.mod and go.sum. Nothing is built.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import yaml

from testbed.cluster.go import go

PROMETHEUS_OPERATOR = "github.com/prometheus-operator/prometheus-operator"


def pod_monitor() -> dict[str, Any]:
    """prometheus-operator's own definition of PodMonitor."""
    module = _module("prometheus-operator", PROMETHEUS_OPERATOR)
    file = module / "example" / "prometheus-operator-crd" / "monitoring.coreos.com_podmonitors.yaml"
    found: dict[str, Any] = yaml.safe_load(file.read_text())
    return found


@functools.cache
def _module(directory: str, path: str) -> Path:
    """The sources of the module `path`, fetched when Go doesn't have them; go.sum holds them to what they
    were."""
    pinned = Path(__file__).parent / "definitions" / directory
    return Path(json.loads(go("mod", "download", "-json", path, directory=pinned))["Dir"])
