"""The transition of an object's Pods to its newest revision."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from podpatterns.api import Pattern
from podpatterns.compose import Composition, pod_manifest
from podpatterns.replicas import Create
from podpatterns.replicas.change import Change
from podpatterns.replicas.history import Revision


@dataclass(frozen=True, slots=True)
class Transition:
    """How an object's Pods become what is wanted."""

    revision: str
    """The newest."""
    manifest: Callable[[Create], dict[str, Any]]
    """The Pod to create."""
    changes: Mapping[str, Change]
    """From older revisions to the newest."""
    configuration: str
    """The hash of the helpers' configuration."""


def transition_to_newest(
    app: Pattern, composition: Composition, revisions: Sequence[Revision], changes: Mapping[str, Change]
) -> Transition:
    """To the newest revision; a Pod that is wanted in another one is made from that one's template."""
    by_hash = {r.hash: r for r in revisions}

    def manifest(create: Create) -> dict[str, Any]:
        known = by_hash.get(create.revision)
        if known is None or (create.revision == composition.revision and composition.template):
            return pod_manifest(app, composition, create.name, create.index)
        of = replace(composition, template=dict(known.template), revision=create.revision)
        return pod_manifest(app, of, create.name, create.index)

    return Transition(composition.revision, manifest, changes, composition.configuration)
