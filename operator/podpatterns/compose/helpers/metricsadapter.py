"""The metrics adapter: its container, and its configuration.

It turns the application's own figures into the metrics of a contract (helpers/metrics-adapter).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from podpatterns.api.adapter import AdapterSpec
from podpatterns.api.effect import Effect, fields_touching
from podpatterns.api.kubernetes import SecretKeyRef
from podpatterns.api.source import HttpSource, Source, VolumeFile
from podpatterns.compose.helpers.helper import (
    CONFIG_DIRECTORY,
    READY,
    SECRETS_DIRECTORY,
    STARTING,
    UNPRIVILEGED,
    HelperImages,
    config_mount,
    helper_container,
    probe,
    yaml_text,
)
from podpatterns.compose.labels import NAME
from podpatterns.compose.part import Part
from podpatterns.compose.podcontainer import PodContainer

FILE = "adapter.yaml"
PROTOCOLS = ("UDP", "TCP")
"""Protocols of the ports that applications send to."""
VOLUMES_DIRECTORY = "/var/lib/podpatterns/volumes"
"""Directory of the shared volumes of sources: each is the directory <volume>."""


def secrets(spec: AdapterSpec) -> list[tuple[str, SecretKeyRef]]:
    """Return the Secrets that pushes and fetches need, each with the field that refers to it."""
    return list(_secrets(spec))


def _secrets(spec: AdapterSpec) -> Iterator[tuple[str, SecretKeyRef]]:
    for path, page in (("spec.metrics.otlp", spec.metrics.otlp), *_pages(spec)):
        if page and page.headers_secret_ref:
            yield f"{path}.headersSecretRef", page.headers_secret_ref
        if page and page.ca_secret_ref:
            yield f"{path}.caSecretRef", page.ca_secret_ref
    for path, page in _pages(spec):
        for field, name, keys in (
            ("basicAuthSecret", page.basic_auth_secret, ("username", "password")),
            ("clientCertificateSecret", page.client_certificate_secret, ("tls.crt", "tls.key")),
        ):
            if name:
                for key in keys:
                    yield f"{path}.{field}", SecretKeyRef(name=name, key=key)


def _pages(spec: AdapterSpec) -> Iterator[tuple[str, HttpSource]]:
    for i, source in enumerate(spec.sources):
        for member, page in (("json", source.json_), ("prometheus", source.prometheus)):
            if page:
                yield f"spec.sources[{i}].{member}", page


def _files(source: Source) -> Iterator[tuple[str, VolumeFile]]:
    """Yield the files of a source in shared volumes, each with its path inside the source."""
    for path, file in (
        ("log", source.log),
        ("json.socket", source.json_ and source.json_.socket),
        ("prometheus.socket", source.prometheus and source.prometheus.socket),
        ("statsd.socket", source.statsd and source.statsd.socket),
        ("syslog.socket", source.syslog and source.syslog.socket),
        ("syslog.streamSocket", source.syslog and source.syslog.stream_socket),
    ):
        if file:
            yield path, file


def pod_shape_inputs(spec: AdapterSpec) -> dict[str, Any]:
    """Return the fields of the Pod that the configuration relies on."""
    keys = sorted({f"{ref.name}/{ref.key}" for _, ref in secrets(spec)})
    return {
        # Left out where there are none: the key of those who push nothing stays what it was.
        **({"secrets": keys} if keys else {}),
        "port": spec.metrics.port,
        "volumes": _volumes(spec),
        "statsd": sorted(s.statsd.port for s in spec.sources if s.statsd),
        "processes": any(s.proc for s in spec.sources),
        **({"writable": sorted(writable)} if (writable := _writable(spec)) else {}),
        **(
            {"syslog": sorted(syslog)}
            if (syslog := [s.syslog.port for s in spec.sources if s.syslog and s.syslog.port])
            else {}
        ),
    }


def _volumes(spec: AdapterSpec) -> list[str]:
    return sorted({file.volume for source in spec.sources for _, file in _files(source)})


def _writable(spec: AdapterSpec) -> set[str]:
    """Return the volumes in which the adapter creates a socket."""
    return {
        file.volume for source in spec.sources if source.statsd or source.syslog for _, file in _files(source)
    }


def _ports(spec: AdapterSpec) -> Iterator[tuple[str, int]]:
    """Yield the ports that sources listen on, each with its field."""
    for i, source in enumerate(spec.sources):
        for member, server in (("statsd", source.statsd), ("syslog", source.syslog)):
            if server and server.port:
                yield f"spec.sources[{i}].{member}.port", server.port


def adapter_config(spec: AdapterSpec) -> str:
    fields = fields_touching(AdapterSpec, Effect.CONFIGURES_HELPER)
    written = spec.model_dump(mode="json", include=set(fields), exclude_defaults=True, by_alias=True)
    return yaml_text(written)


def adapter_container(spec: AdapterSpec, part: Part, name: str, images: HelperImages) -> PodContainer:
    port = spec.metrics.port
    volumes = _volumes(spec)
    manifest = {
        "name": name,
        **images.container("metrics-adapter"),
        "args": [
            f"--config={CONFIG_DIRECTORY}/{FILE}",
            f"--volumes={VOLUMES_DIRECTORY}",
            *([f"--secrets={SECRETS_DIRECTORY}"] if secrets(spec) else ()),
        ],
        "ports": [
            {"name": "metrics", "containerPort": port},
            *({"containerPort": p, "protocol": protocol} for _, p in _ports(spec) for protocol in PROTOCOLS),
        ],
        "startupProbe": probe("/healthz", port, **STARTING),
        "readinessProbe": probe("/healthz", port, **READY),
        # The end of its log says what of the configuration it refuses.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "env": _identity(name),
        "securityContext": dict(UNPRIVILEGED),
        "volumeMounts": [
            config_mount(name),
            *(_mount(volume, volume in _writable(spec)) for volume in volumes),
        ],
    }
    path, origins = part.path("spec.adapter.container"), dict(_origins(spec, part, volumes))
    return helper_container(manifest, spec.adapter, path, part.owner, origins)


def _mount(volume: str, writable: bool) -> dict[str, Any]:
    read_only = {} if writable else {"readOnly": True}
    return {"name": volume, "mountPath": f"{VOLUMES_DIRECTORY}/{volume}", **read_only}


def _identity(name: str) -> list[dict[str, Any]]:
    """Return the environment that identifies the Pod in OpenTelemetry's terms.

    It is always there, so that a push can start without a new Pod:
    https://opentelemetry.io/docs/specs/semconv/non-normative/k8s-attributes/
    """
    attributes = {
        "service.namespace": "$(POD_NAMESPACE)",
        "service.instance.id": f"$(POD_NAMESPACE).$(POD_NAME).{name}",
        "k8s.namespace.name": "$(POD_NAMESPACE)",
        "k8s.pod.name": "$(POD_NAME)",
        "k8s.pod.uid": "$(POD_UID)",
        "k8s.container.name": name,
    }
    return [
        _of_the_pod("POD_NAMESPACE", "metadata.namespace"),
        _of_the_pod("POD_NAME", "metadata.name"),
        _of_the_pod("POD_UID", "metadata.uid"),
        _of_the_pod("OTEL_SERVICE_NAME", f"metadata.labels['{NAME}']"),
        {"name": "OTEL_RESOURCE_ATTRIBUTES", "value": ",".join(f"{k}={v}" for k, v in attributes.items())},
    ]


def _of_the_pod(variable: str, field: str) -> dict[str, Any]:
    return {"name": variable, "valueFrom": {"fieldRef": {"fieldPath": field}}}


def _origins(spec: AdapterSpec, part: Part, volumes: list[str]) -> Iterator[tuple[str, str]]:
    yield "ports[0].containerPort", part.path("spec.metrics.port")
    fields = [field for field, _ in _ports(spec) for _ in PROTOCOLS]
    for at, field in enumerate(fields, start=1):
        yield f"ports[{at}].containerPort", part.path(field)
    for at, volume in enumerate(volumes, start=1):
        i, path = next(
            (i, path)
            for i, source in enumerate(spec.sources)
            for path, file in _files(source)
            if file.volume == volume
        )
        yield f"volumeMounts[{at}].name", part.path(f"spec.sources[{i}].{path}.volume")
