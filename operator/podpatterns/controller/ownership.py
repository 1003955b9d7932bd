"""Ownership: a Pod belongs to the object whose UID is in its controller reference.

As with ReplicaSet, a Pod whose labels are taken away is released, so that it can be looked into while a
successor does the work; and Pods without a controller that this operator made come back to the object of
their name, which is what `kubectl delete --cascade=orphan` and a new creation ask for.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any, Literal

from podpatterns.api import Pattern
from podpatterns.compose import owner_reference
from podpatterns.compose.labels import selector
from podpatterns.controller import actions, child
from podpatterns.controller.apiserver import ApiError, ApiServer
from podpatterns.controller.events import Events
from podpatterns.controller.key import controller_of, pod_path
from podpatterns.controller.objectstore import Entry
from podpatterns.controller.podstore import PodStore
from podpatterns.replicas import Pod, Wanted, ordinal

log = logging.getLogger(__name__)


class Ownership:
    def __init__(self, api: ApiServer, store: PodStore, events: Events) -> None:
        self._api = api
        self._store = store
        self._events = events

    async def adopt(self, entry: Entry, app: Pattern, wanted: Wanted) -> None:
        """Take in the orphans that carry the object's labels, a revision and a name that fits.

        One that has ended is taken in, too, so that it is replaced: it holds its name.
        """
        orphans = (p for p in self._store.orphans(entry.key) if p.revision and not p.terminating)
        fitting = [p for p in orphans if _fits(wanted, p)]
        if not fitting or not await child.is_there(self._api, entry.key.path, entry.uid):
            return
        adopted = []
        for pod in fitting:
            try:
                if await self._patch("Adopt", entry, pod, owner_reference(app)):
                    adopted.append(pod.name)
            except ApiError as error:
                if error.passing:
                    raise
                # It stays an orphan; where it holds a name that is wanted, the status says so.
                log.warning("Pod not adopted", extra={"pod": pod.name, "error": str(error)})
        if adopted:
            self._events.adopted(entry, adopted)

    async def release(self, entry: Entry) -> None:
        """Let go of Pods that left our view although they are still there: their labels were changed."""
        for pod in self._store.removed(entry.key, entry.uid):
            await self._release(entry, pod)
            self._store.settle(entry.key, [pod])

    async def _release(self, entry: Entry, pod: Pod) -> None:
        found = await child.find(self._api, pod_path(entry.key.namespace, pod.name))
        if found is None:
            return
        owner = controller_of(found)
        if owner is None or owner[1] != entry.uid or found["metadata"]["uid"] != pod.uid:
            return
        labels = found["metadata"].get("labels") or {}
        if selector(entry.key.kind, entry.key.name).items() <= labels.items():
            return  # they are back
        await self._patch("Release", entry, pod, {"$patch": "delete", "uid": entry.uid})

    async def _patch(
        self, action: Literal["Adopt", "Release"], entry: Entry, pod: Pod, owner: Mapping[str, Any]
    ) -> bool:
        """Write the reference; return whether the Pod was still there."""
        path, changes = pod_path(entry.key.namespace, pod.name), {"metadata": {"ownerReferences": [owner]}}
        began = time.monotonic()
        try:
            self._store.put(await child.patch(self._api, path, pod.uid, changes))
        except child.Overtaken:
            return False
        actions.done(action, entry.key, pod.name, began, revision=pod.revision)
        return True


def _fits(wanted: Wanted, pod: Pod) -> bool:
    return wanted.naming == "Generated" or ordinal(wanted, pod.name) is not None
