"""What one object adds to the Pod: each kind has a module that says so, and `composition` puts all together.

The application and an included part have the same fragment, but for the names of its containers.
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
    """The field that asks for it."""


@dataclass(frozen=True, slots=True)
class File:
    """A helper's configuration file."""

    container: str
    key: str
    """In the ConfigMap."""
    text: str
    port: int
    """Where the helper tells which configuration it runs, and at which page."""
    page: str
    altered: bool = field(default=False, compare=False)
    """People added fields to the container (spec.proxy.container): what it says may be theirs."""
    hash: str = field(init=False)
    """What the helper tells of the file that it runs."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "hash", hashlib.sha256(self.text.encode()).hexdigest()[:LENGTH])


@dataclass(frozen=True, slots=True)
class MetricsEndpoint:
    """Where an adapter offers metrics, and of which contract."""

    container: str
    port: int
    path: str
    contract: str
    hash: str
    """Of its configuration file, as the adapter tells it too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodFragment:
    shape: Mapping[str, Any] = field(default_factory=dict)
    """What people wrote of the kind's own fields that shapes the Pod; goes into the revision. What ends up in
    `files` alone is left out: it rolls in without a new Pod."""
    helpers: tuple[PodContainer, ...] = ()
    volumes: tuple[dict[str, Any], ...] = ()
    """For the helpers alone, each a core/v1 Volume."""
    variables: tuple[Variable, ...] = ()
    files: tuple[File, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    shared_processes: str = ""
    """The field that needs all containers to see each other's processes; empty when none does."""
    proxies: tuple[str, ...] = ()
    """The containers that are ready while their upstreams are well."""
    secrets: tuple[str, ...] = ()
    """What its volumes need of other people's, and the field that asks for it: Secret redis, key password
    (spec.upstreams[0].redis.authSecretRef)."""
    metrics_endpoint: MetricsEndpoint | None = None
    problems: Iterable[Problem] = ()
    """To be read once, and only as far as they are kept."""
