"""The history of an object: its revisions, to see what changed and to go back to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from podpatterns.api import Pattern
from podpatterns.compose import Composition, owner_reference, recorded_spec
from podpatterns.compose.labels import HASH, REVISION, selector
from podpatterns.replicas.packed import Packed

API_VERSION = "apps/v1"
KIND = "ControllerRevision"
EXACT_DIGITS = 15
"""Digits of an integer that every JSON reader keeps as it is; a longer one may become a float."""

MAX_BYTES = 1_550_000
"""Bytes of a revision's JSON: etcd takes requests of 1.5 MiB (--max-request-bytes), metadata included. The
API server works for up to a second on a larger one before it refuses it."""


class TooLarge(Exception):
    """A revision that can't be kept, and what to do about it."""


class NotGenuine(Exception):
    """A ControllerRevision that no operator wrote for this object, and why that shows."""


@dataclass(frozen=True, slots=True)
class Revision:
    """One ControllerRevision."""

    name: str
    uid: str
    hash: str
    number: int
    """Number, counted upwards; a revision that is rolled back to gets the highest number again."""
    data: Packed
    created: str = ""
    """metav1.Time."""

    @property
    def spec(self) -> Mapping[str, Any]:
        """The fields of the object's spec that shape Pods or configure helpers, as its author wrote them."""
        found: Mapping[str, Any] = self.data.read()["spec"]
        return found

    @property
    def template(self) -> Mapping[str, Any]:
        """The Pod template that its Pods are made from, with the included parts."""
        found: Mapping[str, Any] = self.data.read()["template"]
        return found


def read(obj: Mapping[str, Any], name: str) -> Revision:
    """Return the revision of the object called `name` out of a ControllerRevision with its labels.

    Raises NotGenuine where its name, or the hash of its content, is not as the operator writes them: its
    template is not to be run.
    """
    try:
        meta, data = obj["metadata"], obj["data"]
        revision = meta["labels"][REVISION]
        prefix, _, suffix = meta["name"].rpartition("-")
        if prefix != f"{name}-{revision}" or len(suffix) != 8:
            raise NotGenuine(f"its name is not {name}-{revision}-…")
        if meta["annotations"][HASH] != content_hash(data):
            raise NotGenuine(f"its content doesn't fit its annotation {HASH}")
        if not (isinstance(data["spec"], dict) and isinstance(data["template"]["spec"], dict)):
            raise NotGenuine("it holds no Pod template")
        return Revision(
            name=meta["name"],
            uid=meta["uid"],
            hash=revision,
            number=int(obj["revision"]),
            data=Packed.of({"spec": data["spec"], "template": data["template"]}),
            created=meta.get("creationTimestamp", ""),
        )
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise NotGenuine(f"it lacks what the operator writes ({type(error).__name__}: {error})") from None


def content_hash(data: object) -> str:
    """Return the hash by which a ControllerRevision shows that its content is what was written."""
    text = json.dumps(json.loads(json.dumps(data), parse_int=_number), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _number(digits: str) -> int | float:
    return int(digits) if len(digits) <= EXACT_DIGITS else float(digits)


def manifest(app: Pattern, composition: Composition, number: int) -> dict[str, Any]:
    """Return the ControllerRevision for the present revision of `app`.

    The object's UID is part of the name: a successor under the same name keeps a history of its own.
    Raises TooLarge where no API server takes it.
    """
    name = app.metadata.name
    data = {"spec": recorded_spec(app), "template": composition.template}
    size = len(json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode(errors="replace"))
    if size > MAX_BYTES:
        raise TooLarge(
            f"spec and the Pod template made from it are too large for the history: {size} bytes of JSON, "
            f"where {MAX_BYTES} are possible; move what is long into ConfigMaps"
        )
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {
            "name": f"{name}-{composition.revision}-{app.metadata.uid[:8]}",
            "namespace": app.metadata.namespace,
            "labels": {**selector(app.kind, name), REVISION: composition.revision},
            "annotations": {HASH: content_hash(data)},
            "ownerReferences": [owner_reference(app)],
        },
        "revision": number,
        "data": data,
    }


def copies(revisions: Sequence[Revision], uid: str) -> list[Revision]:
    """Return those that are not the first of their hash, for the object with that UID.

    Whoever writes one with the labels and the annotation of another comes later, as the server's clock tells;
    in the same second only the operator's own has the object's UID in its name, which can't be had twice.
    """
    first: dict[str, Revision] = {}
    for revision in sorted(revisions, key=lambda r: (r.created, not r.name.endswith(f"-{uid[:8]}"), r.name)):
        first.setdefault(revision.hash, revision)
    return [r for r in revisions if first[r.hash] is not r]


def next_number(revisions: Sequence[Revision]) -> int:
    return max((r.number for r in revisions), default=0) + 1


def beyond_limit(revisions: Sequence[Revision], in_use: Collection[str], limit: int) -> list[Revision]:
    """Return the revisions to delete: the oldest beyond `limit` of those that are not in use."""
    unused = sorted((r for r in revisions if r.hash not in in_use), key=lambda r: r.number)
    return unused[: max(0, len(unused) - limit)]
