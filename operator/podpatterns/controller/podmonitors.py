"""Keeps a PodMonitor for each object whose Pods have adapters, where prometheus-operator's kind is installed.

PodMonitors are listed at the start and from time to time, which tells too whether their kind is installed;
between that a reconcile costs nothing. A stranger's PodMonitor is left alone, an orphan of ours adopted.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from podpatterns.api import Pattern
from podpatterns.api.conditions import Reason
from podpatterns.compose import Composition, owner_reference
from podpatterns.compose.labels import HASH, KIND
from podpatterns.compose.podmonitor import GROUP_VERSION, pod_monitor, pod_monitor_name
from podpatterns.controller import child
from podpatterns.controller.apiserver import ApiError, ApiServer, UnansweredError
from podpatterns.controller.backoff import backoff
from podpatterns.controller.key import Key, NamespacedName
from podpatterns.controller.refusal import Refusal
from podpatterns.replicas.failure import Failure
from podpatterns.replicas.podmonitor import Action, Monitored, PodMonitor, decide, observe_pod_monitor

INTERVAL = 300.0
"""Seconds between two lists."""

log = logging.getLogger(__name__)


class PodMonitors:
    """`changed` gets the keys of the objects that lack theirs."""

    def __init__(
        self, api: ApiServer, changed: Callable[[Iterable[Key]], None], namespaces: Sequence[str] = ()
    ) -> None:
        self._api = api
        self._namespaces = namespaces
        self._changed = changed
        self._found: dict[NamespacedName, PodMonitor] | None = None
        """None as long as the kind is not installed."""
        self._wanted: dict[Key, Monitored] = {}

    async def run(self) -> None:
        """List what is there, for ever."""
        failures = 0
        while True:
            try:
                self._found = await self._list()
                failures = 0
            except (ApiError, UnansweredError) as error:
                if isinstance(error, ApiError) and error.not_found:
                    self._found, failures = None, 0
                else:
                    # So a kind that was installed a moment ago answers, too.
                    failures += 1
                    log.warning("List of PodMonitors failed", extra={"error": str(error)})
            if self._found is not None:
                self._changed([key for key, wanted in self._wanted.items() if self._decide(key, wanted)])
            await asyncio.sleep(backoff(failures) if failures else INTERVAL)

    async def keep(self, key: Key, app: Pattern, composition: Composition, refusal: Refusal) -> str:
        """Make the PodMonitor what it should be, unless a refused write has to wait.

        Returns why that can't be done; empty when it is done, or will be without anybody's help.
        """
        manifest = pod_monitor(app, composition)
        hash_ = manifest["metadata"]["annotations"][HASH] if manifest else ""
        wanted = Monitored(key.kind, key.name, app.metadata.uid, hash_)
        if hash_:
            self._wanted[key] = wanted
        else:
            self._wanted.pop(key, None)
        generation = app.metadata.generation
        if refusal.failure and refusal.left(generation, time.monotonic()):
            return refusal.failure.message
        try:
            text = await self._carry_out(key, app, manifest or {}, self._decide(key, wanted))
        except (ApiError, UnansweredError) as error:
            failure = _refused(key, error)
            refusal.note(failure, generation, time.monotonic(), at_least=error.retry_after)
            return failure.message
        refusal.clear()
        return text

    def forget(self, key: Key) -> None:
        """The object is gone, and its PodMonitor will go with it."""
        self._wanted.pop(key, None)
        if self._found:
            self._found.pop(_name(key), None)

    def _decide(self, key: Key, wanted: Monitored) -> Action | None:
        return None if self._found is None else decide(wanted, self._found.get(_name(key)))

    async def _carry_out(
        self, key: Key, app: Pattern, manifest: Mapping[str, Any], action: Action | None
    ) -> str:
        name = _name(key)
        match action:
            case Action.CREATE:
                created = await child.unless_exists(self._api.create(_path(name[0]), manifest))
                if created is None:
                    return await self._take_up(key, app, manifest)
                self._note(name, created)
            case Action.UPDATE:
                await self._patch(name, self._uid(name), _written(manifest))
            case Action.ADOPT:
                return await self._take_up(key, app, manifest)
            case Action.DELETE:
                await self._delete(name, self._uid(name))
            case Action.LEAVE_ALONE:
                return _taken(name[1])
        return ""

    async def _take_up(self, key: Key, app: Pattern, manifest: Mapping[str, Any]) -> str:
        """Adopt or update one that is there, as the server knows it now; a stranger's is only noted."""
        name = _name(key)
        obj = await self._get(name)
        self._note(name, obj)
        if obj is None:
            return ""  # gone between two requests: the next list sees
        found = observe_pod_monitor(obj)
        hash_ = manifest["metadata"]["annotations"][HASH]
        match decide(Monitored(key.kind, key.name, app.metadata.uid, hash_), found):
            case Action.LEAVE_ALONE:
                return _taken(name[1])
            case Action.UPDATE:
                await self._patch(name, found.uid, _written(manifest))
            case Action.ADOPT if await child.is_there(self._api, key.path, app.metadata.uid):
                others = [o for o in obj["metadata"].get("ownerReferences") or () if not o.get("controller")]
                owners = [*others, owner_reference(app)]
                version = obj["metadata"]["resourceVersion"]
                operations = [
                    {"op": "test", "path": "/metadata/resourceVersion", "value": version},
                    {"op": "add", "path": "/metadata/ownerReferences", "value": owners},
                    *_written(manifest),
                ]
                await self._patch(name, found.uid, operations)
        return ""

    async def _list(self) -> dict[NamespacedName, PodMonitor]:
        found = {}
        for namespace in self._namespaces or ("",):
            path = _path(namespace) if namespace else f"/apis/{GROUP_VERSION}/podmonitors"
            try:
                listed = [
                    obj async for page in self._api.list_pages(path, labelSelector=KIND) for obj in page.items
                ]
            except ApiError as error:
                if not (error.forbidden and namespace):
                    raise
                continue  # the resync tells of it
            for obj in listed:
                record, meta = observe_pod_monitor(obj), obj["metadata"]
                if meta["name"] == pod_monitor_name(record.kind, record.name):
                    found[meta["namespace"], meta["name"]] = record
        return found

    async def _get(self, name: NamespacedName) -> dict[str, Any] | None:
        """One PodMonitor; by a list, for which the operator has the right anyway."""
        pages = self._api.list_pages(_path(name[0]), fieldSelector=f"metadata.name={name[1]}")
        return next(iter([obj async for page in pages for obj in page.items]), None)

    async def _patch(self, name: NamespacedName, uid: str, operations: Sequence[Mapping[str, Any]]) -> None:
        try:
            self._note(name, await child.json_patch(self._api, _path(*name), uid, operations))
        except child.Overtaken:
            self._note(name, None)
            raise

    async def _delete(self, name: NamespacedName, uid: str) -> None:
        with suppress(child.Overtaken):
            await child.delete(self._api, _path(*name), uid)
        self._note(name, None)

    def _uid(self, name: NamespacedName) -> str:
        return self._found[name].uid if self._found else ""

    def _note(self, name: NamespacedName, obj: Mapping[str, Any] | None) -> None:
        if self._found is None:
            return  # the kind was taken away meanwhile
        if obj is None:
            self._found.pop(name, None)
        else:
            self._found[name] = observe_pod_monitor(obj)


def _refused(key: Key, error: ApiError | UnansweredError) -> Failure:
    """Return what people are told of it; no message where it is nothing to them."""
    if not isinstance(error, ApiError):
        return Failure(Reason.UNREACHABLE, "")
    message = "" if passing(error) else f"PodMonitor {_name(key)[1]}: {error}"
    return Failure(Reason.WRITE_REFUSED, message)


def passing(error: ApiError) -> bool:
    """Nothing that a person could mend; the kind itself may have gone."""
    return error.passing or error.not_found


def _name(key: Key) -> NamespacedName:
    return key.namespace, pod_monitor_name(key.kind, key.name)


def _path(namespace: str, name: str = "") -> str:
    return f"/apis/{GROUP_VERSION}/namespaces/{namespace}/podmonitors{f'/{name}' if name else ''}"


def _written(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The operations that write what is the operator's of an object."""
    meta = manifest["metadata"]
    return [
        {"op": "add", "path": "/metadata/labels", "value": meta["labels"]},
        {"op": "add", "path": "/metadata/annotations", "value": meta["annotations"]},
        {"op": "add", "path": "/spec", "value": manifest["spec"]},
    ]


def _taken(name: str) -> str:
    return (
        f'a PodMonitor "{name}" exists already and is not this object\'s: the operator leaves it alone; '
        "delete it or rename this object"
    )
