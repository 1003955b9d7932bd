"""The judgement of kstatus, the library by which Helm and GitOps tools wait for an object."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from testbed.cluster.programs import program


class Judgement(NamedTuple):
    status: str
    """InProgress, Current, Failed or Terminating."""
    message: str


def kstatus(objects: Iterable[Mapping[str, Any]]) -> list[Judgement]:
    """Return the judgement of each object, as the API server would send it."""
    lines = "".join(f"{json.dumps(obj)}\n" for obj in objects)
    command = [program("kstatus")]
    process = subprocess.run(command, input=lines, stdout=subprocess.PIPE, text=True, check=True)
    return [Judgement(*line.split("\t", 1)) for line in process.stdout.splitlines()]
