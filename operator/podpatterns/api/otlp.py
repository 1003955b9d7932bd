"""Where metrics are pushed, in OpenTelemetry's protocol."""

from __future__ import annotations

from typing import ClassVar

from podpatterns.api.model import Model, Validation
from podpatterns.api.scalar import Duration, OtlpEndpoint
from podpatterns.api.secretkeyref import SecretKeyRef


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

    endpoint: OtlpEndpoint
    """The receiver's address: http://collector:4318. /v1/metrics is added unless it ends so."""
    interval: Duration = "60s"
    """Time between two pushes, 1s at least. Default: 60s."""
    timeout: Duration = "10s"
    """How long a push may take. One that fails is not repeated: the next one carries all that it did.
    Default: 10s."""
    headers_secret_ref: SecretKeyRef | None = None
    """Headers to send, in a Secret, written as in OTEL_EXPORTER_OTLP_HEADERS:
    authorization=Bearer%20token,tenant=a."""
    ca_secret_ref: SecretKeyRef | None = None
    """With an https endpoint, the certificate authorities to trust, as PEM in a Secret. The adapter's image
    has none."""
