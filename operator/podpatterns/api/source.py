"""Sources of an Adapter: where it reads the application's own figures."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from podpatterns.api.effect import ConfiguresHelper, ShapesPod
from podpatterns.api.model import Model, Validation
from podpatterns.api.scalar import Duration, HttpUrl, Label, Port, RelativePath


class HttpSource(Model):
    """HTTP page of the application, fetched at an interval."""

    url: HttpUrl
    """URL of the page, on a port of the Pod: http://127.0.0.1:8801/stats."""
    interval: Duration = "15s"
    """Time between two fetches, such as 15s. Default: 15s."""


class LogSource(Model):
    """Log file of the application."""

    volume: ShapesPod[Label]
    """Name of the shared volume with the file."""
    path: ConfiguresHelper[RelativePath]
    """Path of the file inside the volume. The adapter follows rotation by renaming and by truncation."""


class StatsdSource(Model):
    """StatsD server for the application to send to."""

    port: ShapesPod[Port]
    """Port on 127.0.0.1 for UDP and TCP."""


class ProcSource(Model):
    """CPU time, memory and open files of the application's processes, from Linux."""

    command: str = Field(min_length=1, max_length=15)
    """Command name of the processes, as in /proc/<pid>/comm: at most 15 characters."""
    interval: Duration = "15s"
    """Time between two readings, such as 15s. Default: 15s."""


class Source(Model):
    """Source of metrics. The field named like `type` configures it."""

    validations: ClassVar[tuple[Validation, ...]] = tuple(
        Validation(
            f"self.type == '{member}' ? has(self.{member}) : !has(self.{member})",
            f"belongs to type {member}: required with it, and with it alone",
            f".{member}",
        )
        for member in ("json", "prometheus", "log", "statsd", "proc")
    )

    name: ConfiguresHelper[Label]
    """Name of the source, for rules to refer to."""
    type: ConfiguresHelper[Literal["json", "prometheus", "log", "statsd", "proc"]]
    """Type of the source. json: a page with JSON. prometheus: a page in Prometheus's text format. log: a file
    of lines. statsd: StatsD packets. proc: Linux's figures about processes."""
    json_: ConfiguresHelper[HttpSource | None] = Field(default=None, alias="json")
    """Page of a source of type json."""
    prometheus: ConfiguresHelper[HttpSource | None] = None
    """Page of a source of type prometheus."""
    log: LogSource | None = None
    """File of a source of type log."""
    statsd: StatsdSource | None = None
    """Port of a source of type statsd."""
    proc: ConfiguresHelper[ProcSource | None] = None
    """Processes of a source of type proc."""
