"""PodFragment: the containers, volumes and files that one object adds to the Pod.

A module per kind makes it, and `composition` joins them. The application and an included part have the same
fragment, but for the names of its containers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from podpatterns.compose.podcontainer import PodContainer
from podpatterns.compose.revision import LENGTH
from podpatterns.compose.rules.problem import Problem


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable for the application's containers."""

    name: str
    value: str
    path: str
    """Field that sets it."""


@dataclass(frozen=True, slots=True)
class File:
    """A helper's configuration file."""

    container: str
    key: str
    """Key in the ConfigMap."""
    text: str
    port: int
    """Port, and path below, where the helper reports the configuration that it runs."""
    page: str
    altered: bool = field(default=False, compare=False)
    """True if people added fields to the container (spec.proxy.container): its reports may be theirs."""
    hash: str = field(init=False)
    """Hash that the helper reports for the file that it runs."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "hash", hashlib.sha256(self.text.encode()).hexdigest()[:LENGTH])


@dataclass(frozen=True, slots=True)
class MetricsEndpoint:
    """Metrics endpoint of an adapter, and its contract."""

    container: str
    port: int
    path: str
    contract: str
    """Name of the contract; empty without one."""
    hash: str
    """Hash of its configuration file, which the adapter reports too."""
    monitored: bool = True
    """True if a PodMonitor discovers it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodFragment:
    shape: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the kind's own that shape the Pod, as people wrote them; they go into the revision. Fields
    that end up in `files` alone are left out: helpers reload them without a new Pod."""
    helpers: tuple[PodContainer, ...] = ()
    volumes: tuple[dict[str, Any], ...] = ()
    """Volumes for the helpers alone, each a core/v1 Volume."""
    variables: tuple[Variable, ...] = ()
    files: tuple[File, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    shared_processes: str = ""
    """Field that needs all containers to see each other's processes; empty if none does."""
    proxies: tuple[str, ...] = ()
    """Containers that are ready only while their required upstreams are healthy."""
    unchecked: tuple[str, ...] = ()
    """Upstreams whose endpoints nobody checks: they count as healthy while they have an address."""
    secrets: tuple[str, ...] = ()
    """Secrets that its volumes need, each with the field that refers to it: Secret redis, key password
    (spec.upstreams[0].redis.authSecretRef)."""
    metrics_endpoint: MetricsEndpoint | None = None
    problems: Iterable[Problem] = ()
    """Problems of the object, an iterator to read once and only as far as they are kept."""
