"""Programs that make metrics of lines or packets, each configured for the same three metrics."""

from __future__ import annotations

import os
import re
import shutil
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from testbed.adapter import SOURCES
from testbed.cluster.own_programs import own_program
from testbed.cluster.packages import require
from testbed.cluster.process import Process
from testbed.cluster.programs import program
from testbed.eventually import eventually
from testbed.ports import free_port
from testbed.usage import cpu_seconds, resident_mib

if TYPE_CHECKING:
    from pathlib import Path

REQUESTS = "app_requests_total"
BUCKETS = "0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10"

LOG = r"""
metrics: {port: %(port)d}
sources: [{name: access, type: log, log: {volume: logs, path: access.log}}]
rules:
- source: access
  regex: '^(?P<method>\S+) \S+ (?P<code>\d+) (?P<ms>[\d.]+)ms$'
  emit:
  - {metric: app_requests_total, labels: {code: "${code}"}}
  - {metric: app_errors_total, when: "code >= 500"}
  - {metric: app_request_duration_seconds, value: ms, scale: 0.001}
"""

MTAIL = f"""
counter app_requests_total by code
counter app_errors_total
histogram app_request_duration_seconds buckets {BUCKETS}
/^(?P<method>\\S+) \\S+ (?P<code>\\d+) (?P<ms>[\\d.]+)ms$/ {{
  app_requests_total[$code]++
  $code >= 500 {{
    app_errors_total++
  }}
  app_request_duration_seconds = $ms / 1000.0
}}
"""

STATSD = """
metrics: {port: %(port)d}
sources: [{name: sent, type: statsd, statsd: {port: %(udp)d}}]
rules:
- {source: sent, path: app.requests, metric: app_requests_total, labels: {code: "${code}"}}
- {source: sent, path: app.errors, metric: app_errors_total}
- {source: sent, path: app.time, metric: app_request_duration_seconds}
"""

STATSD_EXPORTER = f"""
defaults: {{observer_type: histogram, histogram_options: {{buckets: [{BUCKETS}]}}}}
mappings:
- {{match: app.requests, name: app_requests_total}}
- {{match: app.errors, name: app_errors_total}}
- {{match: app.time, name: app_request_duration_seconds}}
"""


@dataclass
class Subject:
    """A program that runs in a directory of its own, on one processor."""

    directory: Path
    core: int
    port: int = field(default_factory=free_port)
    udp: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.log.parent.mkdir(parents=True)
        self.log.touch()  # each reads a log from its start only if it knows it from then on
        self.process = Process(
            ["taskset", "--cpu-list", str(self.core), *self.command()], self.directory / "program.log"
        )
        self.process.start()
        eventually(self._serves)

    def command(self) -> list[str | Path]:
        """Writes its configuration and gives its command line."""
        raise NotImplementedError

    @property
    def log(self) -> Path:
        return self.directory / "logs" / "access.log"

    def counted(self) -> float:
        """Return app_requests_total, all codes together."""
        return sum(float(v) for v in re.findall(rf"^{REQUESTS}{{.*}} (\S+)$", self.metrics(), re.MULTILINE))

    def metrics(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            text: str = answer.read().decode()
            return text

    def cpu_seconds(self) -> float:
        return cpu_seconds(self._pid)

    def resident_mib(self) -> float:
        return resident_mib(self._pid)

    def stop(self) -> None:
        self.process.kill()

    @property
    def _pid(self) -> int:
        assert self.process.pid
        return self.process.pid

    def _serves(self) -> bool:
        self.process.check()
        try:
            self.metrics()
        except OSError:
            return False
        return True

    def _write(self, name: str, text: str) -> Path:
        path = self.directory / name
        path.write_text(text)
        return path


class Ours(Subject):
    configuration = LOG

    def command(self) -> list[str | Path]:
        file = self._write("adapter.yaml", self.configuration % {"port": self.port, "udp": self.udp})
        return [
            own_program(SOURCES),
            f"--config={file}",
            f"--volumes={self.directory}",
            "--bind=127.0.0.1",
        ]


class OursStatsd(Ours):
    configuration = STATSD


class Mtail(Subject):
    """Debian's: its Go module isn't to be had everywhere."""

    def command(self) -> list[str | Path]:
        require({"mtail": "mtail"})
        path = shutil.which("mtail", path=os.defpath + ":/usr/sbin:/usr/bin")
        assert path
        return [
            path,
            f"--progs={self._write('red.mtail', MTAIL)}",
            f"--logs={self.log}",
            "--address=127.0.0.1",
            f"--port={self.port}",
        ]


class StatsdExporter(Subject):
    def command(self) -> list[str | Path]:
        return [
            program("statsd_exporter"),
            f"--statsd.listen-udp=127.0.0.1:{self.udp}",
            f"--statsd.listen-tcp=127.0.0.1:{self.udp}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            f"--statsd.mapping-config={self._write('mapping.yaml', STATSD_EXPORTER)}",
            "--statsd.read-buffer=4194304",
        ]
