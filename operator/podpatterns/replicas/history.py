"""The history of an object: its revisions, to see what changed and to go back to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from podpatterns.api import Pattern
from podpatterns.compose import Composition, owner_reference, words
from podpatterns.compose.labels import REVISION, selector

API_VERSION = "apps/v1"
KIND = "ControllerRevision"


@dataclass(frozen=True, slots=True)
class Revision:
    """One ControllerRevision."""

    name: str
    uid: str
    hash: str
    number: int
    """They are counted upwards; one that is gone back to gets the highest number again."""
    words: Mapping[str, Any]
    """What the object's author had written, as fields of its spec."""
    template: Mapping[str, Any]
    """The Pod template that its Pods are made from, included parts and all."""
    created: str = ""
    """metav1.Time."""


def read(obj: Mapping[str, Any]) -> Revision:
    """A ControllerRevision of ours, as the API server sent it."""
    meta, data = obj["metadata"], obj["data"]
    return Revision(
        name=meta["name"],
        uid=meta["uid"],
        hash=meta["labels"][REVISION],
        number=obj["revision"],
        words=data["spec"],
        template=data["template"],
        created=meta.get("creationTimestamp", ""),
    )


def manifest(app: Pattern, composition: Composition, number: int) -> dict[str, Any]:
    """The ControllerRevision that keeps how Pods of `app` are made now.

    The object's UID is part of the name: a successor under the same name keeps a history of its own.
    """
    name = app.metadata.name
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {
            "name": f"{name}-{composition.revision}-{app.metadata.uid[:8]}",
            "namespace": app.metadata.namespace,
            "labels": {**selector(app.kind, name), REVISION: composition.revision},
            "ownerReferences": [owner_reference(app)],
        },
        "revision": number,
        "data": {"spec": words(app), "template": composition.template},
    }


def next_number(revisions: Sequence[Revision]) -> int:
    return max((r.number for r in revisions), default=0) + 1


def beyond_limit(revisions: Sequence[Revision], in_use: Collection[str], limit: int) -> list[Revision]:
    """Those to delete: the oldest beyond `limit`, of those that no Pod has and none is going to get."""
    unused = sorted((r for r in revisions if r.hash not in in_use), key=lambda r: r.number)
    return unused[: max(0, len(unused) - limit)]
