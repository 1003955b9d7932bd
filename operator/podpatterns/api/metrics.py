"""Metrics endpoint of an Adapter, and the receiver that it pushes to."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from podpatterns.api.effect import ConfiguresHelper, ShapesPod
from podpatterns.api.kubernetes import SecretKeyRef
from podpatterns.api.model import Model, Validation
from podpatterns.api.scalar import Duration, OtlpEndpoint, Port


class Otlp(Model):
    """Receiver of OTLP over HTTP, such as an OpenTelemetry Collector. It gets the same metrics as Prometheus,
    under the same names."""

    validations: ClassVar[tuple[Validation, ...]] = (
        Validation(
            "duration(self.interval) >= duration('1s')",
            "must be a time of 1s at least such as 60s",
            ".interval",
        ),
        Validation(
            "self.endpoint.startsWith('https://') == has(self.caSecretRef)",
            "belongs to https: required with it, and with it alone",
            ".caSecretRef",
        ),
    )

    endpoint: ConfiguresHelper[OtlpEndpoint]
    """Address of the receiver, such as http://collector:4318. The adapter appends /v1/metrics unless the
    address ends with it."""
    interval: ConfiguresHelper[Duration] = "60s"
    """Time between two pushes, at least 1s. Default: 60s."""
    timeout: ConfiguresHelper[Duration] = "10s"
    """Time limit of a push. A failed push is not repeated: the next one carries all of its data. Default:
    10s."""
    compression: ConfiguresHelper[Literal["gzip"] | None] = None
    """Compression of a push. Default: none."""
    temporality: ConfiguresHelper[Literal["cumulative", "delta"]] = "cumulative"
    """Temporality of sums. cumulative: sums since the start of the series. delta: sums since the last push,
    for receivers that add up themselves. Default: cumulative."""
    headers_secret_ref: ShapesPod[SecretKeyRef | None] = None
    """Headers to send, in a Secret, in the format of OTEL_EXPORTER_OTLP_HEADERS:
    authorization=Bearer%20token,tenant=a."""
    ca_secret_ref: ShapesPod[SecretKeyRef | None] = None
    """Certificate authorities to trust for an https endpoint, as PEM in a Secret. The adapter's image has
    none."""


class Metrics(Model):
    """Metrics endpoint of the Pod."""

    validations: ClassVar[tuple[Validation, ...]] = (
        Validation(
            "!has(self.ttl) || duration(self.ttl) >= duration('1s')",
            "must be a time of 1s at least such as 1h",
            ".ttl",
        ),
    )

    port: ShapesPod[Port] = 9090
    """Port of the Pod that Prometheus scrapes. Default: 9090."""
    path: ShapesPod[Annotated[str, Field(max_length=256, pattern="^/")]] = "/metrics"
    """Path that Prometheus scrapes. Default: /metrics."""
    max_series: ConfiguresHelper[int] = Field(default=2000, ge=1)
    """Maximum number of series, as Prometheus counts them: a histogram has one for each bucket and three
    more. The adapter drops and counts further ones, so that a label of unbounded cardinality does no harm.
    Default: 2000."""
    ttl: ConfiguresHelper[Duration | None] = None
    """Time until a series without new data is dropped, at least 1s, such as 1h. Series of rules without
    variable labels are kept. Default: series are never dropped."""
    created_timestamps: ConfiguresHelper[bool] = False
    """If true, OpenMetrics text has the start time of counters and histograms, as _created. Prometheus stores
    it as further series, unless its feature created-timestamp-zero-ingestion is on. Default: false."""
    discovery: ShapesPod[Literal["Annotations", "PodMonitor", "Both"]] = "Both"
    """Way in which Prometheus discovers the endpoint. Annotations: prometheus.io/scrape, port and path.
    PodMonitor: an object of that kind, if prometheus-operator is installed. Both: if Prometheus follows
    annotations and PodMonitors, it scrapes the endpoint twice; choose one of them. Default: Both."""
    otlp: Otlp | None = None
    """OTLP receiver to push the metrics to as well, for monitoring that doesn't scrape."""
