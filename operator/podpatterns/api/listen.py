"""A port on localhost, and the variables that tell the application of it."""

from __future__ import annotations

from podpatterns.api.model import Model
from podpatterns.api.scalar import EnvironmentName, Port


class Listen(Model):
    """Where the application finds the upstream."""

    port: Port
    """The port on 127.0.0.1, unique in the Pod. Only containers of the Pod can reach it."""


class UpstreamEnv(Model):
    """Environment variables that tell the application where the upstream is."""

    host_name: EnvironmentName | None = None
    """Name of the variable that holds the host, 127.0.0.1."""
    port_name: EnvironmentName | None = None
    """Name of the variable that holds the port."""
