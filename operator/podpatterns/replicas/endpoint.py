"""Endpoints of the helpers in Pods, which the operator polls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol, TypeVar

from podpatterns.replicas.pod import Pod

T_co = TypeVar("T_co", covariant=True)


class Endpoint(NamedTuple):
    """Where a helper tells which configuration it runs."""

    ip: str
    port: int
    path: str
    hash: str
    """The hash of the configuration that it should run."""


class Targets(Protocol[T_co]):
    """The helpers of an object to poll; those that compare equal are the same."""

    def endpoints(self) -> Iterator[tuple[T_co, Endpoint]]:
        """Yield each target with its endpoint."""


def reachable(pods: Sequence[Pod], revision: str) -> list[Pod]:
    """Return the running Pods of a revision, whose helpers can be polled."""
    return [p for p in pods if p.live and p.phase == "Running" and p.address and p.revision == revision]
