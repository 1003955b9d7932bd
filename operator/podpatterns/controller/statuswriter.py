"""The status of an object: put together from the stores and what helpers tell, written when it changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from podpatterns.api import Pattern
from podpatterns.compose import Composition, Problem
from podpatterns.compose.composition import PartVersion
from podpatterns.controller import actions, child
from podpatterns.controller.apiserver import ApiServer
from podpatterns.controller.configurationpoller import Configurations
from podpatterns.controller.contractpoller import Contracts
from podpatterns.controller.key import Key
from podpatterns.controller.objectstate import ObjectState
from podpatterns.controller.objectstore import Entry, ObjectStore
from podpatterns.controller.podstore import MANY_PODS, PodStore
from podpatterns.controller.threads import LONG_BYTES, off_the_loop
from podpatterns.replicas import Pod, Replacement, Wanted
from podpatterns.replicas.arrival import arrived, generation_of, has_arrived
from podpatterns.replicas.configuration import ConfigurationTargets, configuration_targets
from podpatterns.replicas.contract import ContractTargets, contract_targets
from podpatterns.replicas.drift import Drift, drift
from podpatterns.replicas.failure import Failure
from podpatterns.replicas.history import Revision
from podpatterns.replicas.observed import Observed
from podpatterns.replicas.status import Usage, app_status, part_status


class StatusWriter:
    """`changed` gets the keys for which the answer to a write brought news."""

    def __init__(
        self,
        api: ApiServer,
        stores: tuple[ObjectStore, PodStore],
        pollers: tuple[Configurations, Contracts],
        changed: Callable[[Iterable[Key]], None],
    ) -> None:
        self._api = api
        self._objects, self._pods = stores
        self._configurations, self._contracts = pollers
        self._changed = changed

    async def of_part(self, entry: Entry, part: Pattern, problems: Sequence[Problem]) -> dict[str, Any]:
        own = entry.key.namespace
        users = [user.key for user in self._objects.users(entry.key) if _has(user, entry)]
        users.sort(key=lambda user: user.namespace == own)
        used_by = [
            {
                "kind": user.kind,
                "name": user.name,
                **({} if user.namespace == own else {"namespace": user.namespace}),
            }
            for user in users
        ]
        version = PartVersion(*entry.key, entry.generation)
        applications = [user for user in self._objects.applications(entry.key) if _has(user, entry)]
        updated = await off_the_loop(len(applications), MANY_PODS, _having, applications, version)
        usage = Usage(used_by, len(applications), updated)
        return part_status(part, usage, problems, entry.status, time.time())

    async def observe(
        self,
        entry: Entry,
        app: Pattern,
        composition: Composition | None,
        state: ObjectState,
        *,
        problems: Sequence[Problem] = (),
        error: Failure | None = None,
    ) -> Observed:
        """Take note of Pods that were replaced, and return what there is to report.

        `problems` and `error` say why the Pods are not what the object says.
        """
        now = time.time()
        pods = self._pods.of(entry.key, entry.uid)
        recorded = _recorded(entry.status)

        def observe() -> tuple[list[Replacement], ContractTargets | None, ConfigurationTargets | None]:
            return (
                state.replacements.observe(pods, app.spec.replicas, state.deleted, now, recorded),
                contract_targets(composition, composition.revision, pods) if composition else None,
                configuration_targets(composition, composition.revision, pods) if composition else None,
            )

        drifted = {p.revision for p in pods if p.modified}
        older = [r for r in state.revisions or () if r.hash in drifted]
        size = sum(revision.data.size for revision in older)
        replaced, adapters, helpers = await off_the_loop(len(pods), MANY_PODS, observe)
        return Observed(
            pods,
            tuple(problems),
            state.failure,
            now,
            replaced,
            composition,
            adapters,
            self._contracts.answers(entry.key) or {},
            helpers,
            self._configurations.answers(entry.key),
            state.taken,
            error,
            state.claims.findings,
            await off_the_loop(size, LONG_BYTES, _drift, pods, composition, older) if drifted else (),
        )

    async def report(
        self, entry: Entry, app: Pattern, wanted: Wanted | None, observed: Observed, state: ObjectState
    ) -> dict[str, Any]:
        """Return the status. It follows from what was observed and from the status that the object has."""
        previous = entry.status
        if state.first_revision and "currentRevision" not in previous:
            previous = {**previous, "currentRevision": state.first_revision}
        size = len(observed.pods) + (len(wanted.work.completed) if wanted else 0)
        return await off_the_loop(size, MANY_PODS, app_status, app, wanted, observed, previous)

    def subscribe(self, key: Key, observed: Observed) -> None:
        """Have the helpers polled whose answers the next report needs."""
        self._contracts.subscribe(key, observed.contract_targets)
        self._configurations.subscribe(key, observed.configuration_targets)

    async def write(self, entry: Entry, status: Mapping[str, Any]) -> None:
        """Write what changed, if anything."""
        if status == entry.status:
            return
        try:
            operation = {"op": "add", "path": "/status", "value": status}
            answer = await child.json_patch(self._api, f"{entry.key.path}/status", entry.uid, [operation])
        except child.Overtaken:
            if await child.is_there(self._api, entry.key.path, entry.uid):
                raise
            # The object is gone or was made anew, and no event told yet, or ever will.
            self._changed(self._objects.remove(entry.key, entry.uid))
            return
        for replacement in _new_replacements(status, entry.status):
            reason, seconds = replacement["reason"], float(replacement["duration"].removesuffix("s"))
            actions.replaced(entry.key, replacement["name"], reason, seconds)
        news, meta = self._objects.put(answer), answer["metadata"]
        before, now = (arrived(of, entry.key.namespace) for of in (entry.status, status))
        self._changed({Key(part.kind, part.namespace, part.name) for part in before ^ now})
        if meta["generation"] != entry.generation or "deletionTimestamp" in meta:
            # Somebody was quicker than the watch, which has nothing new to tell of it any more.
            self._changed(news)


def _has(user: Entry, part: Entry) -> bool:
    """Return whether the part is or may be in Pods of an object that names it. Where it may not, the part's
    owner is not concerned with what others write, unless it was withdrawn and is in the Pods still."""
    namespace = user.key.namespace
    return part.may_be_in(namespace) or generation_of(user.status, namespace, *part.key) is not None


def _having(applications: Sequence[Entry], part: PartVersion) -> int:
    """Return the number of objects in which the part has arrived."""
    return sum(has_arrived(app.status, app.key.namespace, part) for app in applications)


def _drift(pods: Sequence[Pod], newest: Composition | None, older: Sequence[Revision]) -> list[Drift]:
    templates = {revision.hash: revision.template for revision in older}
    return drift(pods, templates | ({newest.revision: newest.template} if newest else {}))


def _recorded(status: Mapping[str, Any]) -> set[str]:
    """Return the UIDs of the successors that the status tells of."""
    return {told["newUID"] for told in status.get("recentReplacements") or ()}


def _new_replacements(status: Mapping[str, Any], previous: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the replacements that only the newer status tells of, the oldest first."""
    before = _recorded(previous)
    return [r for r in reversed(status.get("recentReplacements") or ()) if r["newUID"] not in before]
