"""The cache of our own kinds, and of the includes among them.

An entry has the fields by which events are judged, and the manifest packed; the model is made when it is
needed (`podpatterns.controller.compositions`). So the cache grows with the number of objects and hardly
with their size.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from podpatterns.api.bounds import POD_PARTS
from podpatterns.api.include import is_among
from podpatterns.controller.key import BY_NAME, Key
from podpatterns.replicas.packed import Packed
from podpatterns.replicas.reading import mapping, texts


@dataclass(frozen=True, slots=True)
class Entry:
    """One object."""

    key: Key
    uid: str
    generation: int
    resource_version: int
    terminating: bool
    labels: Mapping[str, str]
    status: Mapping[str, Any]
    includes: tuple[Key, ...]
    shared_with: frozenset[str]
    """Namespaces, other than its own, whose Pods may have it."""
    is_part: bool
    """True without a template: it makes no Pods."""
    manifest: Packed
    """The object without its status."""

    def may_be_in(self, namespace: str) -> bool:
        """Return whether Pods of the namespace may have it, as a part."""
        return self.key.namespace == namespace or is_among(self.shared_with, namespace)


def read(obj: Mapping[str, Any]) -> Entry:
    """Return the entry of an object as the API server sent it; its spec may have any form."""
    meta = obj["metadata"]
    key = Key(obj["kind"], meta["namespace"], meta["name"])
    spec = obj.get("spec")
    spec = spec if isinstance(spec, Mapping) else {}
    return Entry(
        key=key,
        uid=meta["uid"],
        generation=meta["generation"],
        resource_version=int(meta["resourceVersion"]),
        terminating="deletionTimestamp" in meta,
        labels=meta.get("labels") or {},
        status=obj.get("status") or {},
        includes=_includes(key, spec),
        shared_with=frozenset(texts(mapping(spec.get("sharedWith")).get("namespaces"))),
        is_part=spec.get("template") is None,
        manifest=Packed.of(
            {
                "apiVersion": obj.get("apiVersion"),
                "kind": obj["kind"],
                "metadata": {k: v for k, v in meta.items() if k != "managedFields"},
                "spec": obj.get("spec"),
            }
        ),
    )


def _includes(key: Key, spec: Mapping[str, Any]) -> tuple[Key, ...]:
    """Return the parts that it names; a name of another form is for the model to refuse."""
    items = spec.get("include")
    names = (
        (item.get("kind"), item.get("namespace") or key.namespace, item.get("name"))
        for item in (items if isinstance(items, list) else ())
        if isinstance(item, Mapping)
    )
    return tuple(
        Key(kind, namespace, name)
        for kind, namespace, name in names
        if isinstance(kind, str) and isinstance(namespace, str) and isinstance(name, str) and kind in BY_NAME
    )


class ObjectStore:
    def __init__(self) -> None:
        self._entries: dict[Key, Entry] = {}
        self._users: defaultdict[Key, set[Key]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key) -> Entry | None:
        return self._entries.get(key)

    def entries(self) -> list[Entry]:
        """Return all objects, as of now."""
        return list(self._entries.values())

    def users(self, key: Key) -> list[Entry]:
        """Return the objects whose `include` names this one, in a steady order."""
        return [self._entries[user] for user in sorted(self._users.get(key, ()))]

    def applications(self, key: Key) -> list[Entry]:
        """Return the objects that make Pods with this part, whether they or parts of theirs include it."""
        found = (self._entries[user] for user in self._above(key))
        return [entry for entry in found if not (entry.is_part or entry.terminating)]

    def parts(self, entry: Entry) -> list[Entry]:
        """Return the parts that are there of those that the object and its parts include, and may.

        Where a Pod can't have so many (POD_PARTS), the first of them that are too many. A part that is not
        shared is as one that is not there, or the number would tell that it is.
        """
        namespace = entry.key.namespace
        found = (self._entries.get(key) for key in self._below(entry.includes, namespace))
        return [p for p in found if p is not None and not p.terminating and p.may_be_in(namespace)]

    def put(self, obj: Mapping[str, Any]) -> set[Key]:
        """Store an object; return the keys to reconcile (none for a status that this process wrote)."""
        meta = obj["metadata"]
        key = Key(obj["kind"], meta["namespace"], meta["name"])
        known, version = self._entries.get(key), int(meta["resourceVersion"])
        if known and version <= known.resource_version:
            return set()
        if known and _same_but_status(known, meta):
            # Annotations of the object itself reach nothing of ours; a status of ours is no news, but one
            # that somebody else overwrote is put right.
            status = obj.get("status") or {}
            self._entries[key] = replace(known, resource_version=version, status=status)
            return set() if known.status == status else {key}
        entry = self._entries[key] = read(obj)
        if known and (known.uid, known.generation, known.terminating) == (
            entry.uid,
            entry.generation,
            entry.terminating,
        ):
            return {key}  # its labels go to its PodMonitor
        return {key} | self._relink(key, known, entry)

    def remove(self, key: Key, uid: str) -> set[Key]:
        """Remove an object that is gone; return the keys to reconcile."""
        known = self._entries.get(key)
        if known is None or known.uid != uid:
            return set()
        del self._entries[key]
        return {key} | self._relink(key, known, None)

    def sweep(self, kind: str, listed: Mapping[Key, str], version: int, namespace: str = "") -> set[Key]:
        """Remove the objects that a whole list of `kind` (key -> UID), of the namespace or of all, as of
        `version` lacks."""
        missing = [
            entry
            for key, entry in self._entries.items()
            if key.kind == kind
            and namespace in ("", key.namespace)
            and listed.get(key) != entry.uid
            and entry.resource_version <= version
        ]
        keys: set[Key] = set()
        for entry in missing:
            keys |= self.remove(entry.key, entry.uid)
        return keys

    def _relink(self, key: Key, before: Entry | None, after: Entry | None) -> set[Key]:
        old = set(before.includes) if before else set()
        new = set(after.includes) if after else set()
        for part in old - new:
            self._users[part].discard(key)
            if not self._users[part]:
                del self._users[part]
        for part in new - old:
            self._users[part].add(key)
        role = [(entry.is_part, entry.terminating) for entry in (before, after) if entry]
        # Who has begun or ceased to make Pods counts otherwise for all parts.
        changed = old | new if role[0] != role[-1] else old ^ new
        return self._below(changed).keys() | self._above(key)

    def _above(self, key: Key) -> set[Key]:
        """Return all objects that include this one, or include one that does."""
        found: set[Key] = set()
        following = [key]
        while following:
            users = self._users.get(following.pop(), set()) - found
            found |= users
            following += users
        return found - {key}

    def _below(self, keys: Iterable[Key], namespace: str = "") -> dict[Key, None]:
        """Return the parts and those that they include; more than a Pod can have are not followed, nor those
        that may not be in Pods of the namespace, if one is given."""
        found = dict.fromkeys(keys)
        following = list(found)
        while following and len(found) <= POD_PARTS:
            entry = self._entries.get(following.pop())
            if entry is None or (namespace and not entry.may_be_in(namespace)):
                continue
            new = [key for key in entry.includes if key not in found]
            found |= dict.fromkeys(new)
            following += new
        return found


def _same_but_status(known: Entry, meta: Mapping[str, Any]) -> bool:
    """Return whether nothing in the entry has changed but perhaps the status."""
    return (known.uid, known.generation, known.terminating, known.labels) == (
        meta["uid"],
        meta["generation"],
        "deletionTimestamp" in meta,
        meta.get("labels") or {},
    )
