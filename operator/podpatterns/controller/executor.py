"""Carries a plan out: deletes and updates in place first, then creates, every answer into the store.

An update in place is one patch tied to the Pod as it was just read: image, labels, annotations and the
revision label, all or nothing. Where resources change there are three, since those have a subresource of
their own: the first says on the Pod which revision it is brought to, the second changes resources, the last
is the one above. So a Pod whose label names a revision has all of it, or says itself that it hasn't: an
executor that is refused, or ends in between, leaves a Pod that the next plan finishes or replaces. When the
server refuses the change of resources, the Pod is as it was, and what the first patch said is taken back.
If it would take a new Pod of that revision, the Pod is to be replaced; if not, the template is at fault.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from podpatterns.api.conditions import PodReason, Reason
from podpatterns.api.text import MESSAGE_LENGTH, shown
from podpatterns.compose.labels import CONFIGURATION
from podpatterns.controller import actions, child
from podpatterns.controller.apiserver import ApiError, ApiServer, UnansweredError
from podpatterns.controller.claims import CannotProvide, Claims
from podpatterns.controller.fairsemaphore import FairSemaphore
from podpatterns.controller.key import controller_of, pod_path, pods_path
from podpatterns.controller.leadership import LeadershipLostError
from podpatterns.controller.objectstore import Entry
from podpatterns.controller.podstore import PodStore
from podpatterns.controller.transition import Transition
from podpatterns.replicas import Create, Delete, Plan, Refresh, SetInService, Update
from podpatterns.replicas.change import Change
from podpatterns.replicas.claims import Finding
from podpatterns.replicas.drain import in_service
from podpatterns.replicas.failure import Failure, name_taken, refused
from podpatterns.replicas.inplace import in_place_patch
from podpatterns.replicas.resize import announcement, resize_patch, withdrawal

WRITES = 40
"""Under way at once for all objects. More make the API server no faster, and whoever comes next wait."""
NAMESPACE_SHARE = 1 / 3
"""Of one namespace for each that is left free: ten at most. They keep an API server of a few cores busy, and
whoever else asks it, other controllers too, waits for all that are under way."""
ONLY_THE_REVISION = "only the revision"
"""The change of a Pod that is the same at its new revision, for people."""
REFUSED = (HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY)
"""The write has not taken place, and the Pod is there as it was."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Outcome:
    """What came of a plan."""

    created: list[str] = field(default_factory=list)
    updated: list[Update] = field(default_factory=list)
    deleted: list[Delete] = field(default_factory=list)
    in_service_changed: list[SetInService] = field(default_factory=list)
    not_in_place: dict[str, str] = field(default_factory=dict)
    """UID -> message, of each Pod that the server does not let have its new resources, but a new Pod."""
    unanswered: list[Create] = field(default_factory=list)
    """They may have taken place, or yet do."""
    failure: Failure | None = None
    retry_after: float = 0
    """Seconds that the server asked to wait."""
    taken: dict[str, Failure] = field(default_factory=dict)
    """Name of a Pod that can't be created -> why: somebody else's Pod has the name, or a claim is refused.
    The others are created all the same."""
    claims: dict[str, Finding] = field(default_factory=dict)
    """Claims that were read -> what they lack."""
    busy: float = 0
    """Seconds for which the server, overloaded, is to be left alone: no failure, and nothing to tell."""
    namespace_terminating: bool = False
    """Nothing can be created there any more: nothing to tell either."""
    error: Exception | None = None
    """The first that nobody foresaw, for the caller to raise; further ones are logged. What else there was to
    write was written."""
    stopped: bool = False
    """A delete or a creation was not carried out, or no more is to be: creations are left over."""

    def fail(self, error: Exception) -> None:
        """Note what a write ended with."""
        if isinstance(error, UnansweredError):
            self.failure = Failure(Reason.UNREACHABLE, str(error))
        elif not isinstance(error, ApiError):
            if self.error:
                log.error("Write failed unexpectedly, as one before it", exc_info=error)
            self.error = self.error or error
        elif error.too_many_requests:
            self.busy = max(self.busy, error.retry_after)
            self.stopped = True
        elif error.namespace_terminating:
            self.namespace_terminating = self.stopped = True
        else:
            self.failure = refused(error.reason, error.message)
            self.retry_after = max(self.retry_after, error.retry_after)


Action = Create | Delete | Update | Refresh | SetInService


class Executor:
    def __init__(self, api: ApiServer, store: PodStore) -> None:
        self._api = api
        self._store = store
        self._claims = Claims(api)
        self._turns = FairSemaphore(WRITES, NAMESPACE_SHARE)

    async def carry_out(self, plan: Plan, entry: Entry, transition: Transition) -> Outcome:
        """Do what the plan says, as far as the server allows.

        Whatever one write ends with, the others are carried out and noted. Only nothing is created when a
        delete failed: the number of live Pods must not exceed what was planned.
        """
        work = _Work(self._api, self._store, self._claims, self._turns, entry, transition)
        await asyncio.gather(
            *(work.attempt(work.delete, delete) for delete in plan.deletes),
            *(work.attempt(work.update, update) for update in plan.updates),
            *(work.attempt(work.refresh, refresh) for refresh in plan.refreshes),
            *(work.attempt(work.set_in_service, change) for change in plan.service_changes),
        )
        await work.create_all(plan.creates)
        return work.outcome


class _Work:
    """One plan being carried out."""

    def __init__(
        self,
        api: ApiServer,
        store: PodStore,
        claims: Claims,
        turns: FairSemaphore,
        entry: Entry,
        transition: Transition,
    ) -> None:
        self.outcome = Outcome()
        self._api = api
        self._store = store
        self._claims = claims
        self._entry = entry
        self._namespace = entry.key.namespace
        self._transition = transition
        self._turns = turns

    async def attempt(self, write: Callable[[Any], Awaitable[None]], action: Action) -> None:
        """Carry out one action and note what it ends with."""
        async with self._turns.slot(self._namespace):
            try:
                await write(action)
            except LeadershipLostError:
                raise
            except Exception as error:
                # The others' outcomes must not be lost with this one's.
                self.outcome.fail(error)
                self.outcome.stopped |= isinstance(action, Create | Delete)

    async def create_all(self, creates: Sequence[Create]) -> None:
        """Slow start: 1, 2, 4, … at a time, and an end at the first refusal."""
        batch = 1
        while creates and not self.outcome.stopped:
            now, creates = creates[:batch], creates[batch:]
            await asyncio.gather(*(self.attempt(self.create, c) for c in now))
            batch *= 2

    async def create(self, create: Create) -> None:
        if self.outcome.stopped:
            return
        if not await self._provide_claims(create):
            return
        manifest, began = self._transition.manifest(create), time.monotonic()
        try:
            pod = await child.unless_exists(self._api.create(pods_path(self._namespace), manifest))
        except UnansweredError:
            self.outcome.unanswered.append(create)
            raise
        if pod is None:
            pod = await self._holder(create)
        else:
            self.outcome.created.append(create.name)
            actions.done("Create", self._entry.key, create.name, began, revision=create.revision)
        if pod is not None:
            self._store.put(pod)

    async def _provide_claims(self, create: Create) -> bool:
        """Return whether the Pod's claims are there."""
        if (claims := self._transition.claims) is None:
            return True
        for manifest in claims.needed(create):
            name = manifest["metadata"]["name"]
            try:
                self.outcome.claims[name] = await self._claims.provide(manifest, claims.app, create.name)
            except CannotProvide as missing:
                self.outcome.taken[create.name] = missing.failure
                return False
        return True

    async def _holder(self, create: Create) -> dict[str, Any] | None:
        """The Pod that has the name, if it is the object's own, whose creation was not answered."""
        try:
            pod = await self._api.get(pod_path(self._namespace, create.name))
        except (ApiError, UnansweredError):
            self.outcome.unanswered.append(create)
            raise
        owner = controller_of(pod)
        if owner is not None and owner[1] == self._entry.uid:
            return pod
        self.outcome.taken[create.name] = name_taken(pod)
        return None

    async def update(self, update: Update) -> None:
        """Bring a Pod to the newest revision, by the promises above."""
        change, began = self._transition.changes[update.revision], time.monotonic()
        path = pod_path(self._namespace, update.name)
        # The patch says what runs now: it is made of a fresh Pod and fails if that is not true any more.
        pod = await child.find(self._api, path)
        if pod is None or pod["metadata"]["uid"] != update.uid:
            return self._store.forget(update.uid)
        try:
            if change.resources:
                resized = await self._resize(path, pod, change)
                if resized is None:
                    return None
                pod = resized
            patch = in_place_patch(pod, change, self._transition.revision)
            answer = await child.patch(self._api, path, update.uid, patch)
        except child.Overtaken as late:
            # Where the Pod has only changed, that is news, and calls for another plan.
            return self._store.forget(update.uid) if late.not_found else None
        self.outcome.updated.append(update)
        actions.done(
            "Update",
            self._entry.key,
            update.name,
            began,
            revision=self._transition.revision,
            reason=PodReason.OUTDATED,
            detail=str(change) or ONLY_THE_REVISION,
        )
        self._store.put(answer)
        return None

    async def _resize(self, path: str, pod: dict[str, Any], change: Change) -> dict[str, Any] | None:
        """Give the Pod its new resources, not without saying so on it before.

        Returns None where the server refuses them to this Pod, but not to a new one.
        """
        before, uid = pod, pod["metadata"]["uid"]
        if announced := announcement(pod, change, self._transition.revision):
            pod = await child.patch(self._api, path, uid, announced)
            self._store.put(pod)
        try:
            pod = await child.patch(self._api, f"{path}/resize", uid, resize_patch(pod, change))
        except ApiError as error:
            if error.code not in REFUSED:
                raise
            if announced:
                await self._take_back(path, before)
            if not await self._is_created_anew(pod["metadata"]["name"]):
                raise
            failure = refused(error.reason, error.message)
            self.outcome.not_in_place[uid] = shown(f"{failure.reason}: {failure.message}", MESSAGE_LENGTH)
            return None
        self._store.put(pod)
        return pod

    async def _take_back(self, path: str, before: dict[str, Any]) -> None:
        """Where this fails too the Pod goes on saying that it is between two revisions."""
        with suppress(ApiError, UnansweredError):
            self._store.put(await child.patch(self._api, path, before["metadata"]["uid"], withdrawal(before)))

    async def _is_created_anew(self, name: str) -> bool:
        """Ask the server whether it would take a Pod of the newest revision in the place of this one."""
        manifest = self._transition.manifest(Create(name, None, self._transition.revision))
        metadata = {**manifest["metadata"], "generateName": f"{name}-"}
        del metadata["name"]  # that one is taken
        try:
            await self._api.try_creation(pods_path(self._namespace), {**manifest, "metadata": metadata})
        except ApiError:
            return False
        return True

    async def set_in_service(self, change: SetInService) -> None:
        path, began = pod_path(self._namespace, change.name), time.monotonic()
        with suppress(child.Overtaken):
            status = {"conditions": [in_service(change, time.time())]}
            self._store.put(await child.patch_status(self._api, path, change.uid, status))
            self.outcome.in_service_changed.append(change)
            verb: actions.Verb = "Serve" if change.in_service else "Drain"
            actions.done(verb, self._entry.key, change.name, began, revision=self._transition.revision)

    async def refresh(self, refresh: Refresh) -> None:
        changes = {"metadata": {"annotations": {CONFIGURATION: self._transition.configuration}}}
        path, began = pod_path(self._namespace, refresh.name), time.monotonic()
        with suppress(child.Overtaken):
            self._store.put(await child.patch(self._api, path, refresh.uid, changes))
            actions.done("Refresh", self._entry.key, refresh.name, began, revision=self._transition.revision)

    async def delete(self, delete: Delete) -> None:
        if (claims := self._transition.claims) and claims.go_with(delete.name):
            await self._claims.condemn(claims.app, delete.name, delete.uid)
        began = time.monotonic()
        try:
            path = pod_path(self._namespace, delete.name)
            answer = await child.delete(self._api, path, delete.uid)
        except child.Overtaken:
            return self._store.forget(delete.uid)
        self._store.put_deleted(delete.uid, answer)
        self.outcome.deleted.append(delete)
        actions.done(
            "Delete", self._entry.key, delete.name, began, revision=delete.revision, reason=delete.reason
        )
        return None
