"""PersistentVolumeClaims of Stable Pods: created before the Pod, enlarged, given owners; never deleted.

There is no watch of claims, which would cost the memory of a cluster's. A claim is read when its Pod is about
to be created, and when the templates or the retention policy have changed: then all of them are compared.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from podpatterns.api import Pattern
from podpatterns.api.conditions import ConditionType, Reason
from podpatterns.compose.claims import claim_manifest
from podpatterns.compose.revision import short_hash
from podpatterns.controller import child
from podpatterns.controller.apiserver import ApiError, ApiServer, UnansweredError
from podpatterns.controller.objectstore import Entry
from podpatterns.controller.refusal import Refusal
from podpatterns.replicas import Pod, Wanted, is_condemned
from podpatterns.replicas.claims import (
    Finding,
    Findings,
    condemned_patch,
    differences,
    enlargement,
    ownership_patch,
    terminating,
)
from podpatterns.replicas.condition import told
from podpatterns.replicas.failure import Failure, refused

MOST_COMPARED = 500
"""Pods whose claims one reconcile compares; the next goes on where it ended."""
AT_ONCE = 10
REFUSED = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)
"""The write has not taken place, for a reason that may be this claim's alone."""


class CannotProvide(Exception):
    """A claim that a Pod needs can't be had now: the Pod is not to be created."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


@dataclass(slots=True)
class ClaimsState:
    """What is known of the claims of one object."""

    key: str = ""
    """Hash of what the claims were last compared with; empty before."""
    left: list[str] = field(default_factory=list)
    """Pods whose claims are still to be compared."""
    found: dict[str, Finding] = field(default_factory=dict)
    """Claims that are not as they should be."""
    refusal: Refusal = field(default_factory=Refusal)

    def note(self, findings: Mapping[str, Finding]) -> None:
        """Note what claims were like when they were last read."""
        self.found = {n: f for n, f in {**self.found, **findings}.items() if f}

    def keep(self, pods: Collection[str]) -> None:
        """Forget the claims of other Pods: nobody waits for them."""
        self.found = {n: f for n, f in self.found.items() if f.pod in pods}
        self.left = [name for name in self.left if name in pods]

    @property
    def findings(self) -> Findings | None:
        return Findings(self.found, bool(self.left)) if self.key else None

    @property
    def refused(self) -> list[str]:
        """Pods with a claim of which a change was refused."""
        return sorted({f.pod for f in self.found.values() if f.refused})


class Claims:
    def __init__(self, api: ApiServer) -> None:
        self._api = api

    async def provide(self, manifest: dict[str, Any], app: Pattern, pod: str) -> Finding:
        """Make sure that the claim is there for a Pod that doesn't exist yet.

        It is read first: where a quota is exhausted, the creation of one that exists is refused too.
        Raises CannotProvide if the Pod has to wait.
        """
        path = self._path(manifest)
        found = await child.find(self._api, path)
        if found is None:
            collection = path.rpartition("/")[0]
            try:
                if await child.unless_exists(self._api.create(collection, manifest)) is not None:
                    return Finding(pod)
            except ApiError as error:
                raise _unprovided(manifest, error) from None
            found = await self._api.get(path)
        if failure := terminating(found, app, pod):
            raise CannotProvide(failure)
        try:
            return await self._adjust(found, manifest, app, pod, "")
        except child.Overtaken as gone:
            raise CannotProvide(_failure(manifest, gone)) from None

    async def condemn(self, app: Pattern, pod: str, uid: str) -> None:
        """Have the claims of a Pod that is about to be scaled down deleted with it."""
        for template in app.spec.volume_claim_templates:
            path = self._path(claim_manifest(app, template, pod))
            found = await child.find(self._api, path)
            if found and (patch := condemned_patch(found, app, pod, uid)):
                await child.patch(self._api, path, found["metadata"]["uid"], patch)

    async def compare(
        self, entry: Entry, app: Pattern, wanted: Wanted, pods: Sequence[Pod], state: ClaimsState
    ) -> float | None:
        """Compare the claims of all Pods with the templates and the retention policy, where that is due.

        Returns the seconds until there is more to do.
        """
        if not app.spec.volume_claim_templates:
            state.key, state.left, state.found = "", [], {}
            return None
        uids = {p.name: p.uid for p in pods if not is_condemned(wanted, p.name)}
        if (key := _key(app)) != state.key:
            trusted = not state.key and _is_current(entry) and app.spec.retention.when_scaled == "Retain"
            state.key, state.left = key, [] if trusted else sorted(uids)
        state.keep(uids)
        if wait := state.refusal.left(entry.generation, time.monotonic()):
            return wait
        state.left = state.left or state.refused
        now, state.left = state.left[:MOST_COMPARED], state.left[MOST_COMPARED:]
        while now:
            batch, now = now[:AT_ONCE], now[AT_ONCE:]
            found = await asyncio.gather(*(self._compare(app, name, uids[name]) for name in batch))
            for findings in found:
                state.note(findings)
            if failure := next((f.refused for one in found for f in one.values() if f.refused), None):
                state.left = now + state.left
                return state.refusal.note(failure, entry.generation, time.monotonic())
        state.refusal.clear()
        return 0 if state.left or state.refused else None

    async def _compare(self, app: Pattern, pod: str, uid: str) -> dict[str, Finding]:
        findings = {}
        for template in app.spec.volume_claim_templates:
            manifest = claim_manifest(app, template, pod)
            name = manifest["metadata"]["name"]
            try:
                found = await child.find(self._api, self._path(manifest))
                there = found is not None and "deletionTimestamp" not in found["metadata"]
                findings[name] = (
                    await self._adjust(found, manifest, app, pod, uid) if there and found else Finding(pod)
                )
            except (ApiError, UnansweredError) as error:
                findings[name] = Finding(pod, _failure(manifest, error))
        return findings

    async def _adjust(
        self, found: dict[str, Any], manifest: dict[str, Any], app: Pattern, pod: str, uid: str
    ) -> Finding:
        """Give a claim that is there its owners and its size. A refusal keeps no Pod from running.

        Raises Overtaken if it is gone meanwhile.
        """
        differs = differences(found, manifest, app, pod)
        try:
            for patch in (ownership_patch(found, app, pod, uid), enlargement(found, manifest, app, pod)):
                if patch:
                    await child.patch(self._api, self._path(manifest), found["metadata"]["uid"], patch)
        except child.Overtaken:
            raise
        except ApiError as error:
            if error.passing:
                raise
            return Finding(pod, _failure(manifest, error), differs)
        return Finding(pod, differs=differs)

    def _path(self, manifest: Mapping[str, Any]) -> str:
        meta = manifest["metadata"]
        return f"/api/v1/namespaces/{meta['namespace']}/persistentvolumeclaims/{meta['name']}"


def _key(app: Pattern) -> str:
    """Return the hash of what decides on claims. Where scaling deletes them, a Pod that was to be scaled down
    and stays after all has claims to be taken back, and the number of replicas counts too."""
    spec = app.spec
    wanted = [t.manifest() for t in spec.volume_claim_templates]
    scaled = [spec.replicas, spec.first_ordinal, app.metadata.generation]
    retention = spec.retention
    return short_hash([wanted, retention.manifest(), scaled if retention.when_scaled == "Delete" else []])


def _is_current(entry: Entry) -> bool:
    """Return whether the status says that all claims are as this generation asks."""
    condition = told(entry.status, ConditionType.VOLUME_CLAIMS_CURRENT)
    generations = [
        c.get("observedGeneration")
        for c in entry.status.get("conditions") or ()
        if c["type"] == ConditionType.VOLUME_CLAIMS_CURRENT
    ]
    return condition is not None and condition.status is True and generations == [entry.generation]


def _unprovided(manifest: Mapping[str, Any], error: ApiError) -> Exception:
    """Return the error to raise for a claim that can't be created."""
    if error.passing or error.code not in REFUSED:
        return error
    return CannotProvide(_failure(manifest, error))


def _failure(manifest: Mapping[str, Any], error: ApiError | UnansweredError) -> Failure:
    name = manifest["metadata"]["name"]
    if isinstance(error, UnansweredError):
        return Failure(Reason.UNREACHABLE, f"PersistentVolumeClaim {name}: {error}")
    return refused(error.reason, f"PersistentVolumeClaim {name}: {error.message}")
