"""Carries a plan out: deletes and updates in place first, then creates, every answer into the store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from podpatterns.compose import Change
from podpatterns.compose.inplace import in_place_patch, resize_patch
from podpatterns.compose.labels import CONFIGURATION
from podpatterns.controller.apiserver import ApiError, ApiServer, UnansweredError
from podpatterns.controller.key import controller_of, pod_path, pods_path
from podpatterns.controller.objectstore import Entry
from podpatterns.controller.podstore import PodStore
from podpatterns.replicas import Create, Delete, Plan, Refresh, Update
from podpatterns.replicas.status import Failure


@dataclass(slots=True)
class Outcome:
    """What came of a plan."""

    created: list[str] = field(default_factory=list)
    updated: list[Update] = field(default_factory=list)
    deleted: list[Delete] = field(default_factory=list)
    unanswered: list[Create] = field(default_factory=list)
    """They may have taken place, or yet do."""
    failure: Failure | None = None
    retry_after: float = 0
    """Seconds that the server asked to wait."""

    def fail(self, error: ApiError | UnansweredError) -> None:
        if isinstance(error, ApiError):
            self.failure = Failure(error.reason, error.message)
            self.retry_after = max(self.retry_after, error.retry_after or 0)
        else:
            self.failure = Failure("NoAnswer", str(error))


@dataclass(frozen=True, slots=True)
class Route:
    """How an object's Pods become what is wanted."""

    revision: str
    """The newest."""
    manifest: Callable[[Create], dict[str, Any]]
    """The Pod to create."""
    changes: Mapping[str, Change]
    """From older revisions to the newest."""
    configuration: str
    """The hash of the helpers' configuration."""


class Executor:
    def __init__(self, api: ApiServer, store: PodStore) -> None:
        self._api = api
        self._store = store

    async def carry_out(self, plan: Plan, entry: Entry, route: Route) -> Outcome:
        """Do what the plan says, as far as the server allows.

        Nothing is created when a delete failed: the number of live Pods must not exceed what was planned.
        """
        outcome = Outcome()
        await asyncio.gather(
            *(self._delete(d, entry, outcome) for d in plan.deletes),
            *(self._update(u, entry, route, outcome) for u in plan.updates),
            *(self._refresh(r, entry, route, outcome) for r in plan.refreshes),
        )
        await self._create_all(plan.creates, entry, route.manifest, outcome)
        return outcome

    async def _create_all(
        self,
        creates: Sequence[Create],
        entry: Entry,
        manifest: Callable[[Create], dict[str, Any]],
        outcome: Outcome,
    ) -> None:
        """Slow start: 1, 2, 4, … at a time, and an end at the first refusal."""
        batch = 1
        while creates and outcome.failure is None:
            now, creates = creates[:batch], creates[batch:]
            await asyncio.gather(*(self._create(c, entry, manifest, outcome) for c in now))
            batch *= 2

    async def _create(
        self,
        create: Create,
        entry: Entry,
        manifest: Callable[[Create], dict[str, Any]],
        outcome: Outcome,
    ) -> None:
        namespace = entry.key.namespace
        try:
            pod = await self._api.create(pods_path(namespace), manifest(create))
            outcome.created.append(create.name)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                return outcome.fail(error)
            try:
                pod = await self._api.get(pod_path(namespace, create.name))
            except (ApiError, UnansweredError) as unseen:
                outcome.unanswered.append(create)
                return outcome.fail(unseen)
            owner = controller_of(pod)
            if owner is None or owner[1] != entry.uid:
                outcome.failure = _name_taken(pod)
                return None
        except UnansweredError as error:
            outcome.unanswered.append(create)
            return outcome.fail(error)
        self._store.put(pod)
        return None

    async def _update(self, update: Update, entry: Entry, route: Route, outcome: Outcome) -> None:
        """Resources first: while the label still names the old revision, a crash in between is made good."""
        change = route.changes[update.revision]
        path = pod_path(entry.key.namespace, update.name)
        try:
            # The patch says what runs now: it takes a fresh look and fails if that is not true any more.
            pod = await self._api.get(path)
            if pod["metadata"]["uid"] != update.uid:
                return self._store.forget(update.uid)
            if resize := resize_patch(pod, change):
                pod = await self._api.strategic_patch(f"{path}/resize", resize)
            answer = await self._api.strategic_patch(path, in_place_patch(pod, change, route.revision))
        except ApiError as error:
            if error.code == HTTPStatus.NOT_FOUND:
                self._store.forget(update.uid)
            elif error.code != HTTPStatus.CONFLICT:  # what it conflicts with is news, and calls for a look
                outcome.fail(error)
            return None
        except UnansweredError as error:
            return outcome.fail(error)
        outcome.updated.append(update)
        self._store.put(answer)
        return None

    async def _refresh(self, refresh: Refresh, entry: Entry, route: Route, outcome: Outcome) -> None:
        patch = {"metadata": {"uid": refresh.uid, "annotations": {CONFIGURATION: route.configuration}}}
        try:
            path = pod_path(entry.key.namespace, refresh.name)
            self._store.put(await self._api.strategic_patch(path, patch))
        except ApiError as error:
            if error.code not in (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT):  # another Pod by that name
                outcome.fail(error)
        except UnansweredError as error:
            outcome.fail(error)

    async def _delete(self, delete: Delete, entry: Entry, outcome: Outcome) -> None:
        try:
            answer = await self._api.delete(pod_path(entry.key.namespace, delete.name), delete.uid)
        except ApiError as error:
            if error.code in (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT):
                # Gone, or the name is another Pod's by now: either way there is nothing left to delete.
                self._store.forget(delete.uid)
            else:
                outcome.fail(error)
            return
        except UnansweredError as error:
            outcome.fail(error)
            return
        outcome.deleted.append(delete)
        if answer.get("kind") == "Pod" and "deletionTimestamp" in answer["metadata"]:
            self._store.put(answer)
        else:
            self._store.forget(delete.uid)


def _name_taken(pod: dict[str, Any]) -> Failure:
    name = pod["metadata"]["name"]
    owners = [f"{o['kind']} {o['name']}" for o in pod["metadata"].get("ownerReferences") or ()]
    whose = f"belongs to {', '.join(owners)}" if owners else "has no owner"
    return Failure(
        "PodNameTaken",
        f'a Pod "{name}" exists already and {whose}: it is left alone; delete it or rename one of the two',
    )
