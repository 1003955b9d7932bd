"""The judgement of tools that wait for an object: kstatus, the library of Helm and Flux, and Argo CD."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from testbed.cluster.programs import program


class Judgement(NamedTuple):
    status: str
    """InProgress, Current, Failed or Terminating; of Argo CD Progressing, Healthy, Degraded or Suspended."""
    message: str


def kstatus(objects: Iterable[Mapping[str, Any]]) -> list[Judgement]:
    """Return the judgement of each object, as the API server would send it."""
    return _judged([program("kstatus")], objects)


def argocd_health(script: Path, objects: Iterable[Mapping[str, Any]]) -> list[Judgement]:
    """Return the judgement of each object by a health script in Lua."""
    return _judged([program("argocd-health"), script], objects)


def _judged(command: list[Path], objects: Iterable[Mapping[str, Any]]) -> list[Judgement]:
    lines = "".join(f"{json.dumps(obj)}\n" for obj in objects)
    process = subprocess.run(command, input=lines, stdout=subprocess.PIPE, text=True, check=True)
    return [Judgement(*line.split("\t", 1)) for line in process.stdout.splitlines()]
