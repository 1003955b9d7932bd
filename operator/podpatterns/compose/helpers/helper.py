"""Containers that the operator composes: the project's own programs, configured by files.

A configuration file lies in the ConfigMap under a key that ends with a hash of its pod-shape inputs: the
ports, Secrets and volumes that the file expects of its Pod. A change of them makes new Pods, which read a new
file; Pods that still run go on reading the one that fits them. Any other change rewrites the file, and the
helper reloads it (docs/adr/0008).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from podpatterns import __version__
from podpatterns.api.adapter import AdapterSpec
from podpatterns.api.ambassador import AmbassadorSpec
from podpatterns.api.helper import HelperContainer
from podpatterns.api.kubernetes import TLS_CERTIFICATE, TLS_KEY, SecretKeyRef
from podpatterns.api.pattern import PatternSpec
from podpatterns.compose.helpers.merge import merged
from podpatterns.compose.podcontainer import PodContainer, native_sidecar
from podpatterns.compose.revision import shaping_fields, short_hash

CONFIG_DIRECTORY = "/etc/podpatterns"
SECRETS_DIRECTORY = f"{CONFIG_DIRECTORY}/secrets"
"""Directory of the Secrets: the value of a SecretKeyRef is the file <name>/<key>."""

SERVICE_ACCOUNT_DIRECTORY = "/var/run/secrets/kubernetes.io/serviceaccount"
"""Directory of the ServiceAccount's token, which the API server mounts unless something else is there:
https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/"""

WIDTH = 10_000
"""Characters of a line of YAML: none is folded, so that people find what they wrote."""

UNPRIVILEGED: Mapping[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""SecurityContext that the Pod Security level `restricted` requires."""

DEFAULT_RESOURCES: Mapping[str, Any] = {"requests": {"cpu": "10m", "memory": "32Mi"}}
"""Requests that no author has to write: an autoscaler that goes by CPU needs one of every container.

About what a helper uses of both with little traffic. There are no limits: a limit of CPU slows down every
request through a proxy, and one of memory ends it, where nobody asked for that.
"""


COMPOSED = ("haproxy-ambassador", "metrics-adapter", "postgres-ambassador", "redis-ambassador")
"""Helpers whose containers the operator composes."""


@dataclass(frozen=True, slots=True)
class HelperImages:
    """Images of the helpers, by default in the operator's own version, and how Pods pull them."""

    repository: str = "podpatterns"
    """Prefix of /<helper>:<tag>; empty for images without one."""
    tag: str = __version__
    digests: Mapping[str, str] = field(default_factory=dict)
    """Digests by helper, which take precedence over the tag."""
    pull_policy: str = ""
    """The containers' imagePullPolicy; empty for Kubernetes' default."""
    pull_secrets: tuple[str, ...] = ()
    """Secrets for the registry, in the namespace of each Pod that has a helper."""

    def container(self, helper: str) -> dict[str, Any]:
        """Return the fields of a helper's container that say which image it runs."""
        digest = self.digests.get(helper)
        name = f"{self.repository}/{helper}" if self.repository else helper
        policy = {"imagePullPolicy": self.pull_policy} if self.pull_policy else {}
        return {"image": f"{name}@{digest}" if digest else f"{name}:{self.tag}", **policy}

    def secrets(self, written: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Return a Pod's imagePullSecrets, with those that people wrote first."""
        there = {secret.get("name") for secret in written}
        return [*written, *({"name": name} for name in self.pull_secrets if name not in there)]


def helper_container(
    manifest: Mapping[str, Any],
    written: HelperContainer,
    path: str,
    owner: int,
    origins: Mapping[str, str],
) -> PodContainer:
    """Return the container that the operator composes, with what its author alters in it.

    In place of the ServiceAccount's token, which no helper needs, its own configuration is mounted once more:
    a volume for that alone would keep autoscalers from moving the Pod.

    `path` is the field that alters it, `origins` are the fields for others of its own.
    """
    resources = {"resources": written.resources} if written.resources else {}
    token = {"name": manifest["name"], "mountPath": SERVICE_ACCOUNT_DIRECTORY, "readOnly": True}
    mounts = {"volumeMounts": [*manifest.get("volumeMounts", ()), token]}
    altered = native_sidecar(merged({**manifest, **mounts, **resources}, written.container or {}))
    default = not altered.get("resources")
    if default:
        altered["resources"] = DEFAULT_RESOURCES
    return PodContainer(
        altered,
        path,
        "initContainers",
        owner,
        composed=True,
        default_resources=default,
        origins=origins,
    )


def helper_of(spec: PatternSpec) -> HelperContainer | None:
    """Return what the author of an object alters in the containers that the operator composes for it; None
    for a kind without any."""
    match spec:
        case AmbassadorSpec():
            return spec.proxy
        case AdapterSpec():
            return spec.adapter
    return None


def helper_shape(written: HelperContainer) -> dict[str, Any]:
    """Return what its author alters in the container; it goes into the revision, the defaults do not."""
    return shaping_fields(written, HelperContainer)


def yaml_text(written: Mapping[str, Any]) -> str:
    """Return the text of a configuration file. libyaml writes the same as PyYAML, in a quarter of the
    time."""
    text: str = yaml.dump(written, Dumper=yaml.CSafeDumper, sort_keys=False, width=WIDTH)
    return text


def file_key(container: str, pod_shape_inputs: object, extension: str) -> str:
    """Return the key of a container's configuration file in the ConfigMap."""
    return f"{container}-{short_hash(pod_shape_inputs)}.{extension}"


def config_volume(
    name: str, config_map: str, key: str, file: str, secrets: Sequence[SecretKeyRef] = ()
) -> dict[str, Any]:
    """Return a volume with one configuration file and the Secrets that it names; the kubelet keeps both up to
    date."""
    keys: dict[str, set[str]] = {}
    for ref in secrets:
        keys.setdefault(ref.name, set()).add(ref.key)
    return {
        "name": name,
        "projected": {
            "sources": [
                {"configMap": {"name": config_map, "items": [{"key": key, "path": file}]}},
                *(
                    {
                        "secret": {
                            "name": secret,
                            "items": [
                                {"key": key, "path": f"secrets/{secret}/{path}"}
                                for key, path in _files(of_secret)
                            ],
                        }
                    }
                    for secret, of_secret in sorted(keys.items())
                ),
            ]
        },
    }


def _files(keys: set[str]) -> Iterator[tuple[str, str]]:
    """The keys of a Secret, each with the file that it is in."""
    yield from ((key, key) for key in sorted(keys))
    if {TLS_CERTIFICATE, TLS_KEY} <= keys:
        # Where HAProxy looks for a certificate's key: https://docs.haproxy.org/2.6/configuration.html#crt
        yield TLS_KEY, f"{TLS_CERTIFICATE}.key"


def config_mount(volume: str) -> dict[str, Any]:
    return {"name": volume, "mountPath": CONFIG_DIRECTORY, "readOnly": True}


def probe(path: str, port: int, *, period: int, failures: int) -> dict[str, Any]:
    """Return an HTTP probe of the helper, with its period in seconds."""
    return {
        "httpGet": {"path": path, "port": port},
        "periodSeconds": period,
        "failureThreshold": failures,
    }


STARTING = {"period": 1, "failures": 300}
"""Startup probe: the application waits this long for a helper before the kubelet restarts the helper."""
READY = {"period": 5, "failures": 2}
