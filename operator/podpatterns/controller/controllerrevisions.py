"""The history in the cluster: one ControllerRevision for each revision of an object.

It is read only where Pods of more than one revision matter, not watched: an idle object costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from podpatterns.api import Pattern
from podpatterns.api.conditions import Reason
from podpatterns.compose import Composition, owner_reference
from podpatterns.compose.labels import selector
from podpatterns.controller import child
from podpatterns.controller.apiserver import ApiError, ApiServer
from podpatterns.controller.key import owned_by
from podpatterns.replicas import Pod
from podpatterns.replicas.history import (
    NotGenuine,
    Revision,
    TooLarge,
    beyond_limit,
    copies,
    manifest,
    next_number,
    read,
)
from podpatterns.replicas.status import revision_name


class History:
    """`ignored` hears of ControllerRevisions with an object's labels that no operator wrote for it: of the
    object, the ControllerRevision's name, and why that shows."""

    def __init__(self, api: ApiServer, ignored: Callable[[Pattern, str, str], None]) -> None:
        self._api = api
        self._ignored = ignored

    async def begin(self, app: Pattern, composition: Composition) -> None:
        """Keep the first revision of an object; no news where it is kept already."""
        await self._create(app, composition, 1)

    async def update(self, app: Pattern, composition: Composition) -> list[Revision]:
        """All revisions, the oldest first and the present one last, which this makes sure of."""
        found = await self.list(app)
        present = next((r for r in found if r.hash == composition.revision), None)
        number = next_number(found)
        if present is not None and present.template != composition.template:
            # Another version of the operator made Pods otherwise, or somebody foresaw what would be written.
            await self._delete(app, present)
            found.remove(present)
            present = None
        if present is None:
            found.append(await self._create(app, composition, number))
        elif present.number != number - 1:
            found.remove(present)
            found.append(await self._renumber(app, present, number))
        return sorted(found, key=lambda r: r.number)

    async def prune(
        self, app: Pattern, revisions: Sequence[Revision], status: Mapping[str, Any], pods: Sequence[Pod]
    ) -> list[Revision]:
        """Delete the oldest beyond spec.revisionHistoryLimit; what a Pod has or status names doesn't count.

        Gives those that stay.
        """
        named = (status["currentRevision"], status["updateRevision"])
        in_use = {r.hash for r in revisions if revision_name(app, r.hash) in named}
        in_use |= {p.revision for p in pods}
        gone = beyond_limit(revisions, in_use, app.spec.revision_history_limit)
        for revision in gone:
            await self._delete(app, revision)
        return [r for r in revisions if r not in gone]

    async def list(self, app: Pattern) -> list[Revision]:
        """All revisions, the oldest first; orphans of an object of the same name are taken in."""
        found: list[Revision] = []
        orphans: set[str] = set()
        labels = ",".join(f"{k}={v}" for k, v in selector(app.kind, app.metadata.name).items())
        async for page in self._api.list_pages(_path(app), labelSelector=labels):
            for obj in page.items:
                try:
                    revision = _read(app, obj)
                except NotGenuine as stranger:
                    self._ignored(app, obj["metadata"]["name"], str(stranger))
                    continue
                if not obj["metadata"].get("ownerReferences"):
                    orphans.add(revision.uid)
                found.append(revision)
        for copy in copies(found, app.metadata.uid):
            self._ignored(app, copy.name, f"another of revision {copy.hash} was there before")
            found.remove(copy)
        for revision in found:
            if revision.uid in orphans:
                await self._adopt(app, revision)
        return sorted(found, key=lambda r: r.number)

    async def _create(self, app: Pattern, composition: Composition, number: int) -> Revision:
        try:
            wanted = manifest(app, composition, number)
        except TooLarge as error:
            code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            raise ApiError(
                code, {"reason": Reason.REQUEST_ENTITY_TOO_LARGE.value, "message": str(error)}, None
            ) from None
        name = wanted["metadata"]["name"]
        created = await child.unless_exists(self._api.create_normalized(_path(app), wanted))
        if created is not None:
            return read(created, app.metadata.name)
        # It was created, and the answer lost: the name tells the object's UID and the revision.
        try:
            found = _read(app, await self._api.get(f"{_path(app)}/{name}"))
            if found.template == composition.template:
                return found
            await self._delete(app, found)
            why = "its template is not what the object says"
        except NotGenuine as stranger:
            why = f"{stranger}: delete it"
        message = f'ControllerRevision "{name}" exists and is not the operator\'s: {why}'
        status = {"reason": Reason.REVISION_NAME_TAKEN.value, "message": message}
        raise ApiError(HTTPStatus.CONFLICT, status, None)

    async def _delete(self, app: Pattern, revision: Revision) -> None:
        with suppress(child.Overtaken):
            await child.delete(self._api, f"{_path(app)}/{revision.name}", revision.uid)

    async def _renumber(self, app: Pattern, revision: Revision, number: int) -> Revision:
        operation = {"op": "replace", "path": "/revision", "value": number}
        await child.json_patch(self._api, f"{_path(app)}/{revision.name}", revision.uid, [operation])
        return replace(revision, number=number)

    async def _adopt(self, app: Pattern, revision: Revision) -> None:
        """Take in a revision that `kubectl delete --cascade=orphan` left behind, as its Pods are."""
        changes = {"metadata": {"ownerReferences": [owner_reference(app)]}}
        await child.patch(self._api, f"{_path(app)}/{revision.name}", revision.uid, changes)


def needed(app: Pattern, composition: Composition, status: Mapping[str, Any], pods: Sequence[Pod]) -> bool:
    """An update is under way, or Pods are there that nobody has told of."""
    name = revision_name(app, composition.revision)
    return not (status.get("updateRevision") == status.get("currentRevision") == name) or any(
        (p.live or p.done) and p.revision != composition.revision for p in pods
    )


def _read(app: Pattern, obj: Mapping[str, Any]) -> Revision:
    """Raises NotGenuine for one that another controls, too."""
    if obj["metadata"].get("ownerReferences") and not owned_by(obj, app.metadata.uid):
        raise NotGenuine("its controller is another object")
    return read(obj, app.metadata.name)


def _path(app: Pattern) -> str:
    return f"/apis/apps/v1/namespaces/{app.metadata.namespace}/controllerrevisions"
