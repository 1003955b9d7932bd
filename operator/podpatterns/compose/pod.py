"""The Pod manifest: a composition with a name, an owner and the operator's labels."""

from __future__ import annotations

from typing import Any

from podpatterns.api import Pattern
from podpatterns.compose.claims import with_claims
from podpatterns.compose.composition import Composition
from podpatterns.compose.labels import (
    CONFIGURATION,
    IN_SERVICE,
    POD_INDEX,
    REVISION,
    selector,
    unreserved,
)
from podpatterns.compose.owner import owner_reference


def pod_manifest(app: Pattern, composition: Composition, name: str, index: int | None) -> dict[str, Any]:
    """Return the Pod `name` to create.

    The template may be from a revision before reserved labels and annotations were refused.
    """
    template = composition.template
    labels = {
        **unreserved(template["metadata"].get("labels")),
        **selector(app.kind, app.metadata.name),
        REVISION: composition.revision,
    }
    if index is not None:
        labels[POD_INDEX] = str(index)
    metadata: dict[str, Any] = {
        "name": name,
        "namespace": app.metadata.namespace,
        "labels": labels,
        "ownerReferences": [owner_reference(app)],
    }
    annotations = unreserved(template["metadata"].get("annotations"))
    if composition.configuration:
        annotations[CONFIGURATION] = composition.configuration
    if annotations:
        metadata["annotations"] = annotations
    spec = with_claims(template["spec"], name)
    if index is not None and "." not in name:
        # StatefulSet's. A name with a dot is no host name.
        spec["hostname"] = name
    if app.spec.update_strategy.in_place.drain_seconds:
        spec = _gated(spec)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _gated(spec: dict[str, Any]) -> dict[str, Any]:
    """Return the spec with the readiness gate. It is the operator's own and so no part of the revision: a
    Pod that lacks it is replaced at the next change that needs it."""
    gates = spec.get("readinessGates") or []
    if any(gate.get("conditionType") == IN_SERVICE for gate in gates):
        return spec
    return {**spec, "readinessGates": [*gates, {"conditionType": IN_SERVICE}]}
