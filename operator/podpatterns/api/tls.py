"""TLS from the proxy to an upstream."""

from __future__ import annotations

from podpatterns.api.model import Model
from podpatterns.api.scalar import HostName
from podpatterns.api.secretkeyref import SecretKeyRef


class Tls(Model):
    """TLS from the proxy to the endpoints; the application talks plainly to localhost."""

    server_name: HostName | None = None
    """The name that the endpoints' certificate must carry, also sent as SNI. Default: the endpoint's host."""
    ca_secret_ref: SecretKeyRef | None = None
    """The certificate authorities to trust, as PEM in a Secret. Default: those of the proxy's image."""
