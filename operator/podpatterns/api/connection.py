"""The two ends of an upstream's connection: the application's on localhost, and TLS to the servers."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from podpatterns.api.effect import ConfiguresHelper, ShapesPod
from podpatterns.api.kubernetes import SecretKeyRef, TlsSecretRef
from podpatterns.api.model import Model
from podpatterns.api.scalar import EnvironmentName, HostName, Label, Port


class Listen(Model):
    """Port on localhost where the application reaches the upstream."""

    port: Port
    """Port on 127.0.0.1 and ::1, unique in the Pod. Only containers of the Pod can reach it."""


class UnixSocket(Model):
    """Unix socket in a shared volume, where the application reaches the upstream."""

    volume: Label
    """Name of the shared volume."""
    name: Annotated[str, Field(max_length=64, pattern="^[A-Za-z0-9._-]*[A-Za-z0-9]$")]
    """File name in the volume, such as .s.PGSQL.5432. Any user of the Pod may connect to the socket."""


class UpstreamListen(Listen):
    """Port on localhost where the application reaches the upstream, and a Unix socket."""

    unix_socket: UnixSocket | None = None
    """Unix socket beside the port. In mode Local local.container has to listen there. Default: none."""


class UpstreamEnv(Model):
    """Environment variables that hold the upstream's host and port."""

    host_name: EnvironmentName | None = None
    """Name of the variable that holds the host, 127.0.0.1."""
    port_name: EnvironmentName | None = None
    """Name of the variable that holds the port."""


class Tls(Model):
    """TLS from the proxy to the endpoints; the application speaks plain text to localhost."""

    server_name: ConfiguresHelper[HostName | None] = None
    """Name that the endpoints' certificate must carry, also sent as SNI. Default: the endpoint's host."""
    ca_secret_ref: ShapesPod[SecretKeyRef | None] = None
    """Certificate authorities to trust, as PEM in a Secret. Default: those of the proxy's image."""
    cert_secret_ref: ShapesPod[TlsSecretRef | None] = None
    """Client certificate, in a Secret of type kubernetes.io/tls. The next connection uses a renewed one.
    Default: none is sent."""
    insecure_skip_verify: ConfiguresHelper[bool] = False
    """Trust in any endpoint, whatever its certificate says. For development only: whoever is on the way can
    read and change everything, and the proxy's log warns of it. Default: false."""
