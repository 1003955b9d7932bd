"""The metrics adapter: its container, and its configuration.

It turns the application's own figures into the metrics of a contract (helpers/metrics-adapter).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from podpatterns.api.adapter import AdapterSpec
from podpatterns.api.effect import Effect, fields_touching
from podpatterns.api.kubernetes import SecretKeyRef
from podpatterns.compose.helpers.helper import (
    CONFIG_DIRECTORY,
    READY,
    SECRETS_DIRECTORY,
    STARTING,
    UNPRIVILEGED,
    HelperImages,
    config_mount,
    probe,
    yaml_text,
)
from podpatterns.compose.labels import NAME
from podpatterns.compose.part import Part
from podpatterns.compose.podcontainer import PodContainer, native_sidecar

FILE = "adapter.yaml"
STATSD_PROTOCOLS = ("UDP", "TCP")
VOLUMES_DIRECTORY = "/var/lib/podpatterns/volumes"
"""Directory of the shared volumes of log sources: each is the directory <volume>."""


def secrets(spec: AdapterSpec) -> list[tuple[str, SecretKeyRef]]:
    """Return the Secrets that a push needs, each with the field that refers to it."""
    otlp = spec.metrics.otlp
    asked = (
        ("headersSecretRef", otlp and otlp.headers_secret_ref),
        ("caSecretRef", otlp and otlp.ca_secret_ref),
    )
    return [(f"spec.metrics.otlp.{field}", ref) for field, ref in asked if ref]


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
    }


def _volumes(spec: AdapterSpec) -> list[str]:
    return sorted({s.log.volume for s in spec.sources if s.log})


def adapter_config(spec: AdapterSpec) -> str:
    fields = fields_touching(AdapterSpec, Effect.CONFIGURES_HELPER)
    written = spec.model_dump(mode="json", include=set(fields), exclude_defaults=True, by_alias=True)
    return yaml_text(written)


def adapter_container(spec: AdapterSpec, part: Part, name: str, images: HelperImages) -> PodContainer:
    port = spec.metrics.port
    statsd = [s.statsd.port for s in spec.sources if s.statsd]
    volumes = _volumes(spec)
    manifest = {
        "name": name,
        "image": images.image("metrics-adapter"),
        "args": [
            f"--config={CONFIG_DIRECTORY}/{FILE}",
            f"--volumes={VOLUMES_DIRECTORY}",
            *([f"--secrets={SECRETS_DIRECTORY}"] if secrets(spec) else ()),
        ],
        "ports": [
            {"name": "metrics", "containerPort": port},
            *({"containerPort": p, "protocol": protocol} for p in statsd for protocol in STATSD_PROTOCOLS),
        ],
        "startupProbe": probe("/healthz", port, **STARTING),
        "readinessProbe": probe("/healthz", port, **READY),
        # The end of its log says what of the configuration it refuses.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "env": _identity(name),
        "securityContext": dict(UNPRIVILEGED),
        "volumeMounts": [
            config_mount(name),
            *({"name": v, "mountPath": f"{VOLUMES_DIRECTORY}/{v}", "readOnly": True} for v in volumes),
        ],
    }
    return PodContainer(
        native_sidecar(manifest),
        part.path("spec"),
        "initContainers",
        part.owner,
        composed=True,
        origins=dict(_origins(spec, part, volumes)),
    )


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
    statsd = [i for i, s in enumerate(spec.sources) if s.statsd for _ in STATSD_PROTOCOLS]
    for at, i in enumerate(statsd, start=1):
        yield f"ports[{at}].containerPort", part.path(f"spec.sources[{i}].statsd.port")
    for at, volume in enumerate(volumes, start=1):
        i = next(i for i, s in enumerate(spec.sources) if s.log and s.log.volume == volume)
        yield f"volumeMounts[{at}].name", part.path(f"spec.sources[{i}].log.volume")
