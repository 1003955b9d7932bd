"""Ownership: a Pod belongs to the object whose UID is in its controller reference.

As with ReplicaSet, a Pod whose labels are taken away is released, so that it can be looked into while a
successor does the work; and Pods without a controller that this operator made come back to the object of
their name, which is what `kubectl delete --cascade=orphan` and a new creation ask for.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from podpatterns.api import Pattern
from podpatterns.compose import owner_reference
from podpatterns.compose.labels import selector
from podpatterns.controller.apiserver import ApiError, ApiServer
from podpatterns.controller.key import controller_of, pod_path
from podpatterns.controller.objectstore import Entry
from podpatterns.controller.podstore import PodStore
from podpatterns.replicas import Pod, Wanted, ordinal

log = logging.getLogger(__name__)


class Ownership:
    def __init__(self, api: ApiServer, store: PodStore) -> None:
        self._api = api
        self._store = store

    async def adopt(self, entry: Entry, app: Pattern, wanted: Wanted) -> None:
        """Take in the orphans that carry the object's labels, a revision and a name that fits.

        One that has ended is taken in, too, so that it is replaced: it holds its name.
        """
        orphans = (p for p in self._store.orphans(entry.key) if p.revision and not p.terminating)
        fitting = [p for p in orphans if _fits(wanted, p)]
        # The cache may be late: an object that is being deleted must not take Pods in.
        if not fitting or not await self.still_there(entry):
            return
        for pod in fitting:
            patch = {"metadata": {"uid": pod.uid, "ownerReferences": [owner_reference(app)]}}
            try:
                await self._patch(entry, pod, patch)
            except ApiError as error:
                if error.passing:
                    raise
                # It stays an orphan; where it holds a name that is wanted, the status says so.
                log.warning("Pod not adopted", extra={"pod": pod.name, "error": str(error)})

    async def release(self, entry: Entry) -> None:
        """Let go of Pods that left our view although they are still there: their labels were changed."""
        for pod in self._store.removed(entry.key, entry.uid):
            await self._release(entry, pod)
            self._store.settle(entry.key, [pod])

    async def _release(self, entry: Entry, pod: Pod) -> None:
        try:
            found = await self._api.get(pod_path(entry.key.namespace, pod.name))
        except ApiError as error:
            if error.code == HTTPStatus.NOT_FOUND:
                return
            raise
        owner = controller_of(found)
        if owner is None or owner[1] != entry.uid or found["metadata"]["uid"] != pod.uid:
            return
        labels = found["metadata"].get("labels") or {}
        if selector(entry.key.kind, entry.key.name).items() <= labels.items():
            return  # they are back
        patch = {"metadata": {"uid": pod.uid, "ownerReferences": [{"$patch": "delete", "uid": entry.uid}]}}
        await self._patch(entry, pod, patch)

    async def still_there(self, entry: Entry) -> bool:
        """The object is there with that UID and not being deleted, as the server knows it now."""
        try:
            found = await self._api.get(entry.key.path)
        except ApiError as error:
            if error.code == HTTPStatus.NOT_FOUND:
                return False
            raise
        return found["metadata"]["uid"] == entry.uid and "deletionTimestamp" not in found["metadata"]

    async def _patch(self, entry: Entry, pod: Pod, patch: dict[str, Any]) -> None:
        try:
            self._store.put(await self._api.strategic_patch(pod_path(entry.key.namespace, pod.name), patch))
        except ApiError as error:
            # Gone, or another Pod by that name: the watch tells.
            if error.code not in (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT):
                raise


def _fits(wanted: Wanted, pod: Pod) -> bool:
    return wanted.naming == "Generated" or ordinal(wanted, pod.name) is not None
