"""The proxies of an Ambassador: the program for each upstream, and its container."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from podpatterns.api.ambassador import AmbassadorSpec
from podpatterns.api.connection import Listen, Tls, UnixSocket
from podpatterns.api.kubernetes import SecretKeyRef
from podpatterns.api.postgres import PostgresReads
from podpatterns.api.redis import Reads
from podpatterns.api.upstream import Upstream
from podpatterns.compose.helpers.haproxy import (
    LONGEST_SOCKET,
    SOCKETS_DIRECTORY,
    haproxy_config,
    socket_path,
)
from podpatterns.compose.helpers.helper import (
    CONFIG_DIRECTORY,
    READY,
    SECRETS_DIRECTORY,
    STARTING,
    UNPRIVILEGED,
    HelperImages,
    config_mount,
    config_volume,
    file_key,
    helper_container,
    probe,
)
from podpatterns.compose.helpers.postgresambassador import postgres_config
from podpatterns.compose.helpers.redisambassador import redis_config
from podpatterns.compose.part import Part
from podpatterns.compose.podcontainer import PodContainer
from podpatterns.compose.rules.problem import Problem

# https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#ports: an IANA_SVC_NAME
PORT_NAME = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?")

LAST_PORT = 65_535

CONFIG_PAGE = "/config"
"""Endpoint of a proxy, beside its metrics: the hash of the configuration that it runs, and on further lines
the error of a newer one that it refuses."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A proxy program."""

    role: str
    """Name of its container in an Ambassador's own Pod, and of its configuration file."""
    image: str
    serves: Callable[[Upstream], bool]
    metrics: str
    """Name of its metrics port."""
    extension: str
    content: Callable[[AmbassadorSpec, Sequence[Upstream]], str]
    """Writer of its configuration."""
    arguments: Callable[[int], list[str]]
    """Arguments besides --config, for a metrics port."""
    run_directory: str = ""
    """Directory that it writes to; empty if it writes to none."""


def _splits(upstream: Upstream) -> bool:
    """Return whether redis-ambassador stands for it: one port for reads and writes is a matter of commands,
    and HAProxy knows but the roles that servers tell anybody."""
    redis = upstream.redis
    return redis is not None and (redis.reads is None or redis.needs_ambassador)


def _haproxy_content(spec: AmbassadorSpec, upstreams: Sequence[Upstream]) -> str:
    return haproxy_config(upstreams, SECRETS_DIRECTORY, spec.proxy.start_when)


def _follows(upstream: Upstream) -> bool:
    """Return whether postgres-ambassador stands for it."""
    return upstream.postgres is not None


ENGINES = (
    Engine(
        role="ambassador",
        image="redis-ambassador",
        serves=_splits,
        metrics="proxy-metrics",
        extension="yaml",
        content=redis_config,
        arguments=lambda _: [f"--secrets={SECRETS_DIRECTORY}"],
    ),
    Engine(
        role="haproxy",
        image="haproxy-ambassador",
        serves=lambda upstream: not (_splits(upstream) or _follows(upstream)),
        metrics="haproxy-metrics",
        extension="cfg",
        content=_haproxy_content,
        arguments=lambda metrics: [f"--metrics=:{metrics}"],
        run_directory="/run/haproxy",
    ),
    Engine(
        role="pgbouncer",
        image="postgres-ambassador",
        serves=_follows,
        metrics="pg-metrics",
        extension="yaml",
        content=postgres_config,
        arguments=lambda metrics: [f"--secrets={SECRETS_DIRECTORY}", f"--metrics=:{metrics}"],
        run_directory="/run/pgbouncer",
    ),
)


@dataclass(frozen=True, slots=True)
class Proxy:
    """One proxy of an Ambassador."""

    spec: AmbassadorSpec
    part: Part
    engine: Engine
    upstreams: Sequence[tuple[int, Upstream]]
    """Upstreams that it serves, each with its index in spec.upstreams."""
    metrics_port: int

    @property
    def name(self) -> str:
        return self.part.helper_name(self.engine.role)

    @property
    def run_volume(self) -> str:
        return self.part.helper_name(f"{self.engine.role}-run")

    @property
    def pod_shape_inputs(self) -> dict[str, Any]:
        """The fields of the Pod that the configuration relies on."""
        sockets = sorted(socket_path(unix) for _, unix in self._sockets())
        return {
            "ports": sorted(port["containerPort"] for port, _ in self._ports()),
            "metrics": self.metrics_port,
            "secrets": sorted({f"{ref.name}/{ref.key}" for _, ref in self.secrets()}),
            **({"sockets": sockets} if sockets else {}),
        }

    @property
    def key(self) -> str:
        return file_key(self.name, self.pod_shape_inputs, self.engine.extension)

    @property
    def _file(self) -> str:
        return f"{self.engine.role}.{self.engine.extension}"

    def content(self) -> str:
        return self.engine.content(self.spec, [u for _, u in self.upstreams])

    def volumes(self) -> Iterator[dict[str, Any]]:
        secrets = [ref for _, ref in self.secrets()]
        yield config_volume(self.name, self.part.config_map, self.key, self._file, secrets)
        if self.engine.run_directory:
            yield {"name": self.run_volume, "emptyDir": {"medium": "Memory", "sizeLimit": "8Mi"}}

    def container(self, images: HelperImages) -> PodContainer:
        metrics = self.metrics_port
        manifest: dict[str, Any] = {
            "name": self.name,
            **images.container(self.engine.image),
            "args": [f"--config={CONFIG_DIRECTORY}/{self._file}", *self.engine.arguments(metrics)],
            "ports": [
                *(port for port, _ in self._ports()),
                {"name": self.engine.metrics, "containerPort": metrics},
            ],
            "startupProbe": probe("/healthz", metrics, **STARTING),
            "readinessProbe": probe("/readyz", metrics, **READY),
            "securityContext": dict(UNPRIVILEGED),
            "volumeMounts": [config_mount(self.name)],
        }
        if self.engine.run_directory:
            manifest["volumeMounts"].append({"name": self.run_volume, "mountPath": self.engine.run_directory})
        for volume in self._socket_volumes():
            manifest["volumeMounts"].append({"name": volume, "mountPath": f"{SOCKETS_DIRECTORY}/{volume}"})
        path = self.part.path("spec.proxy.container")
        return helper_container(manifest, self.spec.proxy, path, self.part.owner, dict(self._origins()))

    def problems(self) -> Iterator[Problem]:
        yield from self.part.name_problems(f"{self.engine.role}-run")
        before = self.metrics_port - self.spec.proxy.metrics_port
        if self.metrics_port > LAST_PORT:
            yield Problem(
                self.part.path("spec.proxy.metricsPort"),
                f"each of an Ambassador's proxies takes the next port: give at most {LAST_PORT - before}",
            )

        seen: set[str] = set()
        for path, unix in self._sockets():
            if (place := socket_path(unix)) in seen:
                yield Problem(self.part.path(path), "another upstream has this socket: choose another name")
            if len(place) > LONGEST_SOCKET:
                left = LONGEST_SOCKET - len(SOCKETS_DIRECTORY) - 2
                yield Problem(
                    self.part.path(path),
                    f"a socket's path can't be so long: {left} characters for both names",
                )
            seen.add(place)

    def _sockets(self) -> Iterator[tuple[str, UnixSocket]]:
        """The Unix sockets of the upstreams, each with the field that asks for it."""
        for i, upstream in self.upstreams:
            if unix := upstream.listen.unix_socket:
                yield f"spec.upstreams[{i}].listen.unixSocket", unix

    def _socket_volumes(self) -> dict[str, str]:
        """The shared volumes of the sockets, each with the field that asks for it."""
        return {unix.volume: f"{path}.volume" for path, unix in reversed([*self._sockets()])}

    def _origins(self) -> Iterator[tuple[str, str]]:
        paths = [self.part.path(path) for _, path in self._ports()]
        for at, path in enumerate([*paths, self.part.path("spec.proxy.metricsPort")]):
            yield f"ports[{at}].containerPort", path
        first = 1 + bool(self.engine.run_directory)
        for at, path in enumerate(self._socket_volumes().values(), start=first):
            yield f"volumeMounts[{at}].name", self.part.path(path)

    def _ports(self) -> Iterator[tuple[dict[str, Any], str]]:
        """Yield the ports of the upstreams, each with the field that sets it."""
        names = {u.name for _, u in self.upstreams}
        for i, upstream in self.upstreams:
            yield named_port(upstream.name, upstream.listen), f"spec.upstreams[{i}].listen.port"
            if found := reads_of(upstream):
                field, reads = found
                name = f"{upstream.name}-reads"
                port = named_port("" if name in names else name, reads.listen)
                yield port, f"spec.upstreams[{i}].{field}.listen.port"

    def secrets(self) -> Iterator[tuple[str, SecretKeyRef]]:
        """Yield the Secrets that it needs, each with the field that refers to it."""
        for i, upstream in self.upstreams:
            redis, path = upstream.redis, self.part.path(f"spec.upstreams[{i}]")
            postgres = upstream.postgres
            asked = (
                ("redis.authSecretRef", redis and redis.auth_secret_ref),
                ("redis.sentinel.authSecretRef", redis and redis.sentinel and redis.sentinel.auth_secret_ref),
                ("redis.monitorAuthSecretRef", redis and redis.monitor_auth_secret_ref),
                ("tls.caSecretRef", upstream.tls and upstream.tls.ca_secret_ref),
                ("redis.tls.caSecretRef", redis and redis.tls and redis.tls.ca_secret_ref),
                *_certificate("tls.certSecretRef", upstream.tls),
                *_certificate("redis.tls.certSecretRef", redis.tls if redis else None),
                ("postgres.authSecretRef", postgres and postgres.auth_secret_ref),
                ("postgres.tls.caSecretRef", postgres and postgres.tls and postgres.tls.ca_secret_ref),
                *_certificate("postgres.tls.certSecretRef", postgres.tls if postgres else None),
            )
            yield from ((f"{path}.{field}", ref) for field, ref in asked if ref)


def reads_of(upstream: Upstream) -> tuple[str, Reads | PostgresReads] | None:
    """Return the settings of a port for reads, with their field; None if the upstream has none."""
    for field, settings in (("redis.reads", upstream.redis), ("postgres.reads", upstream.postgres)):
        if settings and settings.reads:
            return field, settings.reads
    return None


def _certificate(field: str, tls: Tls | None) -> Iterator[tuple[str, SecretKeyRef]]:
    if tls and tls.cert_secret_ref:
        yield from ((field, ref) for ref in tls.cert_secret_ref.keys)


def proxies(spec: AmbassadorSpec, part: Part) -> list[Proxy]:
    """Return a proxy for each engine that serves an upstream; the second one's metrics are at the next
    port."""
    served = (
        (engine, [(i, u) for i, u in enumerate(spec.upstreams) if engine.serves(u)]) for engine in ENGINES
    )
    needed = [(engine, upstreams) for engine, upstreams in served if upstreams]
    return [
        Proxy(spec, part, engine, upstreams, spec.proxy.metrics_port + at)
        for at, (engine, upstreams) in enumerate(needed)
    ]


def named_port(name: str, listen: Listen) -> dict[str, Any]:
    """Return the port with its upstream's name, if that is a valid name of a port."""
    named = {"name": name} if PORT_NAME.fullmatch(name) else {}
    return {**named, "containerPort": listen.port}
