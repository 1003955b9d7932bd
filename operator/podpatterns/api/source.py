"""Where an Adapter reads what the application tells about itself."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from podpatterns.api.effect import ConfiguresHelper, ShapesPod
from podpatterns.api.model import Model, Validation
from podpatterns.api.scalar import Duration, HttpUrl, Label, Port, RelativePath


class HttpSource(Model):
    """A page of the application that is fetched again and again."""

    url: HttpUrl
    """The page, on a port of the Pod: http://127.0.0.1:8801/stats."""
    interval: Duration = "15s"
    """Time between two fetches, such as 15s. Default: 15s."""


class LogSource(Model):
    """A file that the application appends lines to."""

    volume: ShapesPod[Label]
    """The shared volume that the file is in."""
    path: ConfiguresHelper[RelativePath]
    """The file's path inside the volume. Rotation is followed, by renaming or by truncation."""


class StatsdSource(Model):
    """A StatsD server for the application to send to."""

    port: ShapesPod[Port]
    """The port on 127.0.0.1 that is listened on, for UDP and TCP."""


class ProcSource(Model):
    """CPU time, memory and open files of the application's processes, as Linux counts them."""

    command: str = Field(min_length=1, max_length=15)
    """The processes' command name, as in /proc/<pid>/comm: at most 15 characters."""
    interval: Duration = "15s"
    """Time between two readings, such as 15s. Default: 15s."""


class Source(Model):
    """One place to read from. The field named like `type` describes it."""

    validations: ClassVar[tuple[Validation, ...]] = tuple(
        Validation(
            f"self.type == '{member}' ? has(self.{member}) : !has(self.{member})",
            f"belongs to type {member}: required with it, and with it alone",
            f".{member}",
        )
        for member in ("json", "prometheus", "log", "statsd", "proc")
    )

    name: ConfiguresHelper[Label]
    """The source's name, for rules to refer to."""
    type: ConfiguresHelper[Literal["json", "prometheus", "log", "statsd", "proc"]]
    """json: a page with JSON. prometheus: a page in Prometheus's text format. log: a file of lines.
    statsd: StatsD packets. proc: figures that Linux keeps about processes."""
    json_: ConfiguresHelper[HttpSource | None] = Field(default=None, alias="json")
    """The page of a source of type json."""
    prometheus: ConfiguresHelper[HttpSource | None] = None
    """The page of a source of type prometheus."""
    log: LogSource | None = None
    """The file of a source of type log."""
    statsd: StatsdSource | None = None
    """The port of a source of type statsd."""
    proc: ConfiguresHelper[ProcSource | None] = None
    """The processes of a source of type proc."""
