"""The metrics adapter as a process of this machine."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Self

from testbed.cluster.own_programs import HELPERS, own_program
from testbed.cluster.process import Process
from testbed.eventually import eventually
from testbed.ports import free_port

SOURCES = HELPERS / "metrics-adapter"
TEXT = "text/plain;version=0.0.4"
OPENMETRICS = "application/openmetrics-text;version=1.0.0"


class Adapter:
    """A context manager that runs it in `directory`, where each shared volume is a directory. `{port}` and
    `{statsd}` in the configuration stand for free ports; one that names its port is given it too."""

    def __init__(self, directory: Path, configuration: str, port: int | None = None) -> None:
        self.directory = directory
        self.port = port or free_port()
        self.statsd = free_port()
        file = directory / "adapter.yaml"
        self.configuration = configuration.replace("{{port}}", str(self.port)).replace(
            "{{statsd}}", str(self.statsd)
        )
        file.write_text(self.configuration)
        command: list[str | Path] = [
            own_program(SOURCES),
            f"--config={file}",
            f"--volumes={directory}",
            "--bind=127.0.0.1",
        ]
        self.process = Process(command, directory / "adapter.log")

    def __enter__(self) -> Self:
        self.process.start()
        eventually(self._serves)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stop()

    def metrics(self, accept: str = TEXT) -> str:
        return self._get("/metrics", accept)

    def contract(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._get("/contract", "application/json"))
        return found

    def _serves(self) -> bool:
        self.process.check()
        try:
            self._get("/healthz", "*/*")
        except urllib.error.URLError:
            return False
        return True

    def _get(self, path: str, accept: str) -> str:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers={"Accept": accept})
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            text: str = answer.read().decode()
            return text
