"""The transition of an object's Pods to its newest revision."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from podpatterns.api import Pattern
from podpatterns.api.volumeclaim import VolumeClaimTemplate
from podpatterns.compose import Composition, pod_manifest
from podpatterns.compose.claims import claim_manifest, claimed
from podpatterns.replicas import Create, Wanted, is_condemned
from podpatterns.replicas.change import Change
from podpatterns.replicas.history import Revision


@dataclass(frozen=True, slots=True)
class PodClaims:
    """The PersistentVolumeClaims of an object's Pods."""

    app: Pattern
    needed: Callable[[Create], list[dict[str, Any]]]
    """The claims of the Pod to create."""

    def go_with(self, pod: str) -> bool:
        """Return whether the claims of a Pod that is deleted now are to be deleted with it."""
        deleted = self.app.spec.retention.when_scaled == "Delete"
        return deleted and is_condemned(Wanted.of(self.app, ""), pod)


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
    claims: PodClaims | None = None
    """The PersistentVolumeClaims of its Pods."""


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

    def claims(create: Create) -> list[dict[str, Any]]:
        known, newest = by_hash.get(create.revision), create.revision == composition.revision
        template = composition.template if newest or known is None else known.template
        templates = {t.metadata.name: t for t in app.spec.volume_claim_templates}
        if known and not templates.keys() >= set(claimed(template)):
            templates = {t.metadata.name: t for t in _recorded_claims(known)} | templates
        return [claim_manifest(app, templates[n], create.name) for n in claimed(template) if n in templates]

    return Transition(
        composition.revision, manifest, changes, composition.configuration, PodClaims(app, claims)
    )


def _recorded_claims(revision: Revision) -> list[VolumeClaimTemplate]:
    """Return the claim templates of a revision; none where another operator wrote them in another form."""
    try:
        written = revision.spec.get("volumeClaimTemplates") or ()
        return [VolumeClaimTemplate.model_validate(template) for template in written]
    except (ValidationError, TypeError):
        return []
