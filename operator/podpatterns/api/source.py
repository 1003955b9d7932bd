"""Sources of an Adapter: where it reads the application's own figures."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from podpatterns.api.effect import ConfiguresHelper, ShapesPod
from podpatterns.api.kubernetes import SecretKeyRef
from podpatterns.api.model import LIST_SET, Items, Model, Validation
from podpatterns.api.scalar import Duration, HttpUrl, Label, ObjectName, Port, RelativePath

LineFormat = Literal["regex", "json", "logfmt"]
"""Format of lines."""


class VolumeFile(Model):
    """File in a shared volume."""

    volume: ShapesPod[Label]
    """Name of the shared volume with the file."""
    path: ConfiguresHelper[RelativePath]
    """Path of the file inside the volume."""


class HttpSource(Model):
    """HTTP page of the application, fetched at an interval."""

    validations: ClassVar[tuple[Validation, ...]] = (
        Validation(
            "!has(self.caSecretRef) || self.url.startsWith('https://')",
            "belongs to an https URL",
            ".caSecretRef",
        ),
    )

    url: ConfiguresHelper[HttpUrl]
    """URL of the page, on a port of the Pod: http://127.0.0.1:8801/stats."""
    interval: ConfiguresHelper[Duration] = "15s"
    """Time between two fetches, such as 15s. Default: 15s."""
    body: ConfiguresHelper[str | None] = Field(default=None, min_length=1, max_length=4096)
    """Body of a POST request, in JSON. Default: none; the page is fetched by GET."""
    valid_statuses: ConfiguresHelper[Items[Annotated[int, Field(ge=200, le=599)]]] = Field(
        default=(), max_length=16, json_schema_extra=dict(LIST_SET)
    )
    """Status codes of the responses that the adapter reads, such as 200 and 503. Default: 200."""
    socket: VolumeFile | None = None
    """Unix socket to connect to, in place of the URL's host. Default: none; the adapter connects by TCP."""
    headers_secret_ref: ShapesPod[SecretKeyRef | None] = None
    """Headers to send, in a Secret, in the format of OTEL_EXPORTER_OTLP_HEADERS:
    authorization=Bearer%20token,tenant=a."""
    basic_auth_secret: ShapesPod[ObjectName | None] = None
    """Name of a Secret with username and password, as in the type kubernetes.io/basic-auth."""
    client_certificate_secret: ShapesPod[ObjectName | None] = None
    """Name of a Secret with the adapter's client certificate, tls.crt and tls.key, as in the type
    kubernetes.io/tls."""
    ca_secret_ref: ShapesPod[SecretKeyRef | None] = None
    """Certificate authorities to trust for an https URL, as PEM in a Secret. The adapter's image has none."""


class LogSource(VolumeFile):
    """Log file of the application. The adapter follows rotation by renaming and by truncation. The path may
    be a pattern such as access-*.log, or a named pipe that the application creates."""

    files: ConfiguresHelper[Literal["newest", "all"]] = "newest"
    """Files of a pattern to follow. newest: the newest one, and the one before it until it is quiet. all:
    every one. Default: newest."""
    format: ConfiguresHelper[LineFormat] = "regex"
    """Format of a line. regex: any; rules have regular expressions. json: an object. logfmt: pairs such as
    level=info msg="it works". Default: regex."""


class StatsdSource(Model):
    """StatsD server for the application to send to."""

    port: ShapesPod[Port]
    """Port on localhost for UDP and TCP."""
    socket: VolumeFile | None = None
    """Unix socket for datagrams, which the adapter creates. Default: none."""


class SyslogSource(Model):
    """Syslog server for the application to send to, in the formats of RFC 5424 and RFC 3164. Connections may
    carry each message's length in front of it, or a newline or NUL behind it."""

    validations: ClassVar[tuple[Validation, ...]] = (
        Validation(
            "has(self.port) || has(self.socket) || has(self.streamSocket)",
            "give port, socket or streamSocket",
        ),
    )

    port: ShapesPod[Port | None] = None
    """Port on localhost for UDP and TCP. Default: none."""
    socket: VolumeFile | None = None
    """Unix socket for datagrams, which the adapter creates; a program that sends to /dev/log needs an option
    to send there instead. Default: none."""
    stream_socket: VolumeFile | None = None
    """Unix socket for connections, which the adapter creates. Default: none."""
    format: ConfiguresHelper[LineFormat] = "regex"
    """Format of a message's text, as for a source of type log. The groups severity, facility, app and
    hostname come from its header: severity is emerg, alert, crit, err, warning, notice, info or debug.
    Default: regex."""


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
        for member in ("json", "prometheus", "log", "statsd", "syslog", "proc")
    )

    name: ConfiguresHelper[Label]
    """Name of the source, for rules to refer to."""
    type: ConfiguresHelper[Literal["json", "prometheus", "log", "statsd", "syslog", "proc"]]
    """Type of the source. json: a page with JSON. prometheus: a page in Prometheus's text format. log: a file
    of lines. statsd: StatsD packets. syslog: syslog messages. proc: Linux's figures about processes."""
    json_: HttpSource | None = Field(default=None, alias="json")
    """Page of a source of type json."""
    prometheus: HttpSource | None = None
    """Page of a source of type prometheus."""
    log: LogSource | None = None
    """File of a source of type log."""
    statsd: StatsdSource | None = None
    """Port of a source of type statsd."""
    syslog: SyslogSource | None = None
    """Port and sockets of a source of type syslog."""
    proc: ConfiguresHelper[ProcSource | None] = None
    """Processes of a source of type proc."""

    @property
    def lines(self) -> LogSource | SyslogSource | None:
        """The member that gives lines, if the source gives any."""
        return self.log or self.syslog

    @property
    def line_format(self) -> Literal["json", "logfmt"] | None:
        """The format of the lines into which rules have a path."""
        lines = self.lines
        return None if lines is None or lines.format == "regex" else lines.format
