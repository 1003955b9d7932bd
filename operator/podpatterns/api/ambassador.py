"""Ambassador: the helper connects the application with its upstreams."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from podpatterns.api.effect import ConfiguresHelper, ShapesPod
from podpatterns.api.helper import HelperContainer
from podpatterns.api.model import Items, Validation, list_map
from podpatterns.api.pattern import Pattern, PatternSpec
from podpatterns.api.scalar import Port
from podpatterns.api.upstream import Upstream


class Proxy(HelperContainer):
    """Proxy container between the application and its upstreams. The Pod is ready only while every required
    upstream has a healthy endpoint."""

    start_when: ConfiguresHelper[Literal["Listening", "Healthy"]] = "Listening"
    """Start of the application. Listening: once the proxy takes connections, whether there are servers
    behind it or not. Healthy: once every required upstream has had a healthy endpoint. Default: Listening."""
    metrics_port: ShapesPod[Port] = 8404
    """Port of the proxy's Prometheus metrics, at /metrics. There are up to three proxies, and each uses the
    next port: one for redis, one for other upstreams and redis.reads, one for those with postgres. Default:
    8404."""


class AmbassadorSpec(PatternSpec):
    """Desired state."""

    validations: ClassVar[tuple[Validation, ...]] = (
        Validation(
            "self.upstreams.all(u, self.upstreams.exists_one(v, v.listen.port == u.listen.port))",
            "two upstreams listen on one port: give each a listen.port of its own",
            ".upstreams",
        ),
        Validation(
            "self.upstreams.all(u, u.listen.port != self.proxy.metricsPort)",
            "an upstream listens on this port: choose another",
            ".proxy.metricsPort",
        ),
        Validation(
            "self.upstreams.all(u, !has(u.redis) || !has(u.redis.reads) ||"
            " (u.redis.reads.listen.port != self.proxy.metricsPort &&"
            " self.upstreams.all(v, v.listen.port != u.redis.reads.listen.port)))",
            "the port of redis.reads is an upstream's, or that of the metrics: choose another",
            ".upstreams",
        ),
        Validation(
            "self.upstreams.all(u, !has(u.postgres) || !has(u.postgres.reads) ||"
            " (u.postgres.reads.listen.port != self.proxy.metricsPort &&"
            " self.upstreams.all(v, v.listen.port != u.postgres.reads.listen.port)))",
            "the port of postgres.reads is an upstream's, or that of the metrics: choose another",
            ".upstreams",
        ),
        Validation(
            "self.mode != 'Local' || self.upstreams.all(u, has(u.local))",
            "in mode Local every upstream needs local.container: give one to each",
            ".upstreams",
        ),
        Validation(
            "self.upstreams.all(u, !has(u.env) || !has(u.env.portName) || self.upstreams.exists_one(v,"
            " has(v.env) && has(v.env.portName) && v.env.portName == u.env.portName))",
            "two upstreams have the same env.portName: give each one of its own",
            ".upstreams",
        ),
    )

    mode: ShapesPod[Literal["Proxy", "Local"]] = "Proxy"
    """Proxy: a proxy in the Pod connects the localhost ports with the endpoints. Local: no proxy;
    local.container of each upstream runs in the Pod, on the same port, for development without the real
    services. Default: Proxy."""
    upstreams: Items[Upstream] = Field(min_length=1, max_length=32, json_schema_extra=list_map("name"))
    """Services that the application reaches on localhost."""
    proxy: Proxy = Proxy()
    """Proxy container."""


class Ambassador(Pattern):
    """Application that talks only to localhost, and a proxy beside it that connects it with its services: it
    finds the servers, follows failovers, speaks TLS, retries. Without a template it is a reusable part."""

    kind: Literal["Ambassador"] = "Ambassador"
    spec: AmbassadorSpec
    """Desired state."""
