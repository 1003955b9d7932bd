"""The models of objects and the compositions of their Pods, made when they are needed and cached.

The cache keeps those used last, up to a bound for all objects together; any other is made anew from its
packed manifest. A long one is made in a thread, for the event loop to go on meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from podpatterns.api import InvalidObject, Pattern, parse
from podpatterns.api.bounds import POD_PARTS
from podpatterns.api.readable import readable
from podpatterns.compose import CannotCompose, Composition, HelperImages, Problem, compose, include_problems
from podpatterns.compose.part import too_many_parts
from podpatterns.controller.key import Key
from podpatterns.controller.lrucache import LruCache
from podpatterns.controller.objectstore import Entry, ObjectStore
from podpatterns.controller.threads import LONG_BYTES, off_the_loop
from podpatterns.replicas.failure import Failure, internal_error
from podpatterns.replicas.history import Revision
from podpatterns.replicas.reading import mapping

KEPT_BYTES, KEPT_LONG_BYTES = 12_000_000, 2_000_000
"""Bytes of JSON of all short ones in the cache, and of all long ones. Memory holds twelve times that."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Composed:
    """The model of an object and its composition. Without a composition `problems` or `error` say why."""

    app: Pattern | None
    """The model; of an object without the form of its kind only how its Pods are run, None if that can't be
    read either."""
    composition: Composition | None
    problems: tuple[Problem, ...] = ()
    error: Failure | None = None
    """An error of the operator's own, which may be gone the next time."""


@dataclass(frozen=True, slots=True)
class _Kept:
    version: object
    composed: Composed


class Compositions:
    def __init__(self, objects: ObjectStore, images: HelperImages) -> None:
        self._objects = objects
        self._images = images
        self._short: LruCache[Key, _Kept] = LruCache(KEPT_BYTES)
        self._long: LruCache[Key, _Kept] = LruCache(KEPT_LONG_BYTES)

    async def of(self, entry: Entry) -> Composed:
        """Return the object with its composition, made anew only when it or one of its parts changed."""
        parts = self._objects.parts(entry)
        version = (_version(entry), *sorted(map(_version, parts)))
        for cache in (self._short, self._long):
            if (kept := cache.get(entry.key)) and kept.version == version:
                return kept.composed
        size = entry.manifest.size + sum(part.manifest.size for part in parts)
        composed = await off_the_loop(size, LONG_BYTES, _composed, entry, parts, self._images)
        self.forget(entry.key)
        if not composed.error:
            cache = self._long if size > LONG_BYTES else self._short
            cache.put(entry.key, _Kept(version, composed), size)
        return composed

    async def of_revision(self, entry: Entry, revision: Revision) -> Composition | None:
        """Return the composition of one of the object's revisions, with the configuration of its helpers.

        None if it can't be composed any more, since the object's parts have changed.
        """
        parts = self._objects.parts(entry)
        size = revision.data.size + sum(part.manifest.size for part in parts)
        found = await off_the_loop(size, LONG_BYTES, _of_revision, entry, revision, parts, self._images)
        return found if found and found.revision == revision.hash else None

    def forget(self, key: Key) -> None:
        self._short.drop(key)
        self._long.drop(key)


def _version(entry: Entry) -> tuple[object, ...]:
    return entry.key, entry.uid, entry.generation, sorted(entry.labels.items())


def _composed(entry: Entry, parts: Sequence[Entry], images: HelperImages) -> Composed:
    app: Pattern | None = None
    manifest = entry.manifest.read()
    try:
        app = parse(manifest)
        if app.spec.template is None:
            found = CannotCompose(include_problems(app, _models(parts)))
            return Composed(app, None, found.problems)
        return Composed(app, compose(app, _models(parts), images))
    except InvalidObject as error:
        return Composed(readable(manifest), None, tuple(Problem(e.path, e.message) for e in error.errors))
    except CannotCompose as error:
        return Composed(app, None, error.problems)
    except Exception as error:
        # One object's surprise must not end the work for all others, nor for its own Pods.
        log.exception("Compose failed unexpectedly")
        return Composed(app, None, error=internal_error(error))


def _of_revision(
    entry: Entry, revision: Revision, parts: Sequence[Entry], images: HelperImages
) -> Composition | None:
    manifest = entry.manifest.read()
    include = mapping(manifest["spec"]).get("include") or []
    try:
        app = parse({**manifest, "spec": {**revision.spec, "include": include}})
        return compose(app, _models(parts), images)
    except (InvalidObject, CannotCompose):
        return None


def _models(parts: Sequence[Entry]) -> Iterator[Pattern]:
    """Yield the models of the parts that have the form of their kind; the others count as missing.

    Raises CannotCompose for more parts than a Pod can have.
    """
    if len(parts) > POD_PARTS:
        raise CannotCompose([too_many_parts()])
    for part in parts:
        try:
            yield parse(part.manifest.read())
        except InvalidObject:
            continue
