"""Our own kinds as last seen, and who includes whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from podpatterns.api import InvalidObject, Pattern, parse
from podpatterns.compose import Problem
from podpatterns.controller.key import Key


@dataclass(frozen=True, slots=True)
class Entry:
    """One object. Either `app` is there or `problems` say why it could not be read."""

    key: Key
    uid: str
    generation: int
    resource_version: int
    leaving: bool
    status: Mapping[str, Any]
    app: Pattern | None
    problems: tuple[Problem, ...] = ()

    @property
    def includes(self) -> list[Key]:
        if self.app is None:
            return []
        return [Key(i.kind, self.key.namespace, i.name) for i in self.app.spec.include]

    @property
    def is_part(self) -> bool:
        return self.app is not None and self.app.spec.template is None


def read(obj: Mapping[str, Any]) -> Entry:
    """The entry of an object as the API server sent it."""
    meta = obj["metadata"]
    app: Pattern | None = None
    problems: tuple[Problem, ...] = ()
    try:
        app = parse(obj)
    except InvalidObject as error:
        problems = tuple(Problem(e.path, e.message) for e in error.errors)
    return Entry(
        key=Key(obj["kind"], meta["namespace"], meta["name"]),
        uid=meta["uid"],
        generation=meta["generation"],
        resource_version=int(meta["resourceVersion"]),
        leaving="deletionTimestamp" in meta,
        status=obj.get("status") or {},
        app=app,
        problems=problems,
    )


class ObjectStore:
    def __init__(self) -> None:
        self._entries: dict[Key, Entry] = {}
        self._users: defaultdict[Key, set[Key]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key) -> Entry | None:
        return self._entries.get(key)

    def users(self, key: Key) -> list[Key]:
        """The objects whose `include` names this one, in a steady order."""
        return sorted(self._users.get(key, ()))

    def put(self, obj: Mapping[str, Any]) -> set[Key]:
        """Take in an object; the keys that have work to do now (none for a change of status alone)."""
        meta = obj["metadata"]
        key = Key(obj["kind"], meta["namespace"], meta["name"])
        known = self._entries.get(key)
        if known and int(meta["resourceVersion"]) <= known.resource_version:
            return set()
        entry = read(obj)
        self._entries[key] = entry
        if known and (known.uid, known.generation, known.leaving) == (
            entry.uid,
            entry.generation,
            entry.leaving,
        ):
            # Labels and annotations of the object itself don't reach its Pods; a status of ours is no news,
            # but one that somebody else overwrote is put right.
            return set() if known.status == entry.status else {key}
        return {key} | self._relink(key, known, entry)

    def remove(self, key: Key, uid: str) -> set[Key]:
        """The object is gone."""
        known = self._entries.get(key)
        if known is None or known.uid != uid:
            return set()
        del self._entries[key]
        return {key} | self._relink(key, known, None)

    def sweep(self, kind: str, listed: Mapping[Key, str], version: int) -> set[Key]:
        """After a whole list of `kind` (key -> UID) at `version`: remove what vanished unseen."""
        missing = [
            entry
            for key, entry in self._entries.items()
            if key.kind == kind and listed.get(key) != entry.uid and entry.resource_version <= version
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
        return (old ^ new) | self._users.get(key, set())
