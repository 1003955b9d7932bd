"""Where an Adapter offers metrics, and where it pushes them."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from podpatterns.api.effect import ConfiguresHelper, ShapesPod
from podpatterns.api.kubernetes import SecretKeyRef
from podpatterns.api.model import Model, Validation
from podpatterns.api.scalar import Duration, OtlpEndpoint, Port


class Otlp(Model):
    """A receiver of OTLP by HTTP, such as an OpenTelemetry Collector: what is offered to Prometheus is pushed
    to it as well, under the same names."""

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
    """The receiver's address: http://collector:4318. /v1/metrics is added unless it ends so."""
    interval: ConfiguresHelper[Duration] = "60s"
    """Time between two pushes, 1s at least. Default: 60s."""
    timeout: ConfiguresHelper[Duration] = "10s"
    """How long a push may take. One that fails is not repeated: the next one carries all that it did.
    Default: 10s."""
    headers_secret_ref: ShapesPod[SecretKeyRef | None] = None
    """Headers to send, in a Secret, written as in OTEL_EXPORTER_OTLP_HEADERS:
    authorization=Bearer%20token,tenant=a."""
    ca_secret_ref: ShapesPod[SecretKeyRef | None] = None
    """With an https endpoint, the certificate authorities to trust, as PEM in a Secret. The adapter's image
    has none."""


class Metrics(Model):
    """Where the metrics are offered."""

    port: ShapesPod[Port] = 9090
    """The port of the Pod that Prometheus scrapes. Default: 9090."""
    path: ShapesPod[Annotated[str, Field(max_length=256, pattern="^/")]] = "/metrics"
    """The path that Prometheus scrapes. Default: /metrics."""
    max_series: ConfiguresHelper[int] = Field(default=2000, ge=1)
    """How many series there may be, as Prometheus counts them: a histogram is one for each bucket and three
    more. What is beyond is dropped and counted, so that a label with endless values does no harm.
    Default: 2000."""
    otlp: Otlp | None = None
    """Where they are pushed as well, for monitoring that doesn't scrape."""
