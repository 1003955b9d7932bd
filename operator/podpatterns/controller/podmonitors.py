"""Keeps a PodMonitor for each object whose Pods have adapters, where prometheus-operator's kind is installed.

Whether it is, and which PodMonitors of ours are there, is asked at the start and from time to time; between
that a look at an object costs nothing. A stranger's PodMonitor is left alone, an orphan of ours adopted.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from podpatterns.api import Pattern
from podpatterns.compose import Composition, owner_reference
from podpatterns.compose.labels import HASH, KIND
from podpatterns.compose.podmonitor import GROUP_VERSION, pod_monitor, pod_monitor_name
from podpatterns.controller.apiserver import ApiError, ApiServer, UnansweredError
from podpatterns.controller.backoff import backoff
from podpatterns.controller.key import Key
from podpatterns.replicas.podmonitor import Action, Monitored, PodMonitor, decide, observe_pod_monitor

INTERVAL = 300.0
"""Seconds between two lists."""

log = logging.getLogger(__name__)

Place = tuple[str, str]
"""Namespace and name of a PodMonitor."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A write that the API server refused."""

    wanted: Monitored
    text: str
    """For people; empty when it is nothing to them."""
    count: int
    retry: asyncio.TimerHandle | None
    """Until it fires nobody tries again."""


class PodMonitors:
    """`changed` gets the keys of the objects that lack theirs."""

    def __init__(self, api: ApiServer, changed: Callable[[Iterable[Key]], None]) -> None:
        self._api = api
        self._changed = changed
        self._found: dict[Place, PodMonitor] | None = None
        """None as long as the kind is not installed."""
        self._wanted: dict[Key, Monitored] = {}
        self._refusals: dict[Key, Refusal] = {}

    async def run(self) -> None:
        """Look what is there, for ever."""
        failures = 0
        while True:
            try:
                self._found = await self._list()
                failures = 0
            except (ApiError, UnansweredError) as error:
                if isinstance(error, ApiError) and error.code == HTTPStatus.NOT_FOUND:
                    self._found, failures = None, 0
                else:
                    # So a kind that was installed a moment ago answers, too.
                    failures += 1
                    log.warning("PodMonitors not listed, trying again", extra={"error": str(error)})
            if self._found is not None:
                self._changed([key for key, wanted in self._wanted.items() if self._decide(key, wanted)])
            await asyncio.sleep(min(INTERVAL, backoff(failures)) if failures else INTERVAL)

    async def keep(self, key: Key, app: Pattern, composition: Composition) -> str:
        """Make the PodMonitor what it should be. Returns why that can't be done; empty when it is done, or
        will be without anybody's help."""
        manifest = pod_monitor(app, composition)
        hash_ = manifest["metadata"]["annotations"][HASH] if manifest else ""
        wanted = Monitored(key.kind, key.name, app.metadata.uid, hash_)
        if hash_:
            self._wanted[key] = wanted
        else:
            self._wanted.pop(key, None)
        refusal = self._refusals.get(key)
        if refusal and refusal.wanted == wanted and refusal.retry:
            return refusal.text
        try:
            text = await self._carry_out(key, app, manifest or {}, self._decide(key, wanted))
        except (ApiError, UnansweredError) as error:
            return self._refused(key, wanted, error)
        self._settle(key)
        return text

    def forget(self, key: Key) -> None:
        """The object is gone, and its PodMonitor will go with it."""
        self._wanted.pop(key, None)
        self._settle(key)
        if self._found:
            self._found.pop(_place(key), None)

    def _decide(self, key: Key, wanted: Monitored) -> Action | None:
        return None if self._found is None else decide(wanted, self._found.get(_place(key)))

    async def _carry_out(
        self, key: Key, app: Pattern, manifest: Mapping[str, Any], action: Action | None
    ) -> str:
        place = _place(key)
        match action:
            case Action.CREATE:
                try:
                    self._note(place, await self._api.create(_path(place[0]), manifest))
                except ApiError as error:
                    if error.reason != "AlreadyExists":
                        raise
                    return await self._take_up(key, app, manifest)
            case Action.UPDATE:
                await self._patch(place, self._uid(place), _written(manifest))
            case Action.ADOPT:
                return await self._take_up(key, app, manifest)
            case Action.DELETE:
                await self._delete(place, self._uid(place))
            case Action.LEAVE_ALONE:
                return _taken(place[1])
        return ""

    async def _take_up(self, key: Key, app: Pattern, manifest: Mapping[str, Any]) -> str:
        """Adopt or update one that is there, as the server knows it now; a stranger's is only noted."""
        place = _place(key)
        obj = await self._get(place)
        self._note(place, obj)
        if obj is None:
            return ""  # gone between two requests: the next list sees
        found = observe_pod_monitor(obj)
        hash_ = manifest["metadata"]["annotations"][HASH]
        match decide(Monitored(key.kind, key.name, app.metadata.uid, hash_), found):
            case Action.LEAVE_ALONE:
                return _taken(place[1])
            case Action.UPDATE:
                await self._patch(place, found.uid, _written(manifest))
            case Action.ADOPT if await self._still_there(key, app):
                others = [o for o in obj["metadata"].get("ownerReferences") or () if not o.get("controller")]
                owners = [*others, owner_reference(app)]
                version = obj["metadata"]["resourceVersion"]
                operations = [
                    {"op": "test", "path": "/metadata/resourceVersion", "value": version},
                    {"op": "add", "path": "/metadata/ownerReferences", "value": owners},
                    *_written(manifest),
                ]
                await self._patch(place, found.uid, operations)
        return ""

    async def _still_there(self, key: Key, app: Pattern) -> bool:
        """The cache may be late: an object that is being deleted must not take an orphan in."""
        try:
            meta = (await self._api.get(key.path))["metadata"]
        except ApiError as error:
            if error.code == HTTPStatus.NOT_FOUND:
                return False
            raise
        return meta["uid"] == app.metadata.uid and "deletionTimestamp" not in meta

    async def _list(self) -> dict[Place, PodMonitor]:
        found = {}
        async for page in self._api.list_pages(f"/apis/{GROUP_VERSION}/podmonitors", labelSelector=KIND):
            for obj in page.items:
                record, meta = observe_pod_monitor(obj), obj["metadata"]
                if meta["name"] == pod_monitor_name(record.kind, record.name):
                    found[meta["namespace"], meta["name"]] = record
        return found

    async def _get(self, place: Place) -> dict[str, Any] | None:
        """One PodMonitor; by a list, for which the operator has the right anyway."""
        pages = self._api.list_pages(_path(place[0]), fieldSelector=f"metadata.name={place[1]}")
        return next(iter([obj async for page in pages for obj in page.items]), None)

    async def _patch(self, place: Place, uid: str, operations: Sequence[Mapping[str, Any]]) -> None:
        """Bring the one with that UID up to date, and no successor."""
        test = {"op": "test", "path": "/metadata/uid", "value": uid}
        self._note(place, await self._api.json_patch(_path(*place), [test, *operations]))

    async def _delete(self, place: Place, uid: str) -> None:
        try:
            await self._api.delete(_path(*place), uid)
        except ApiError as error:
            if error.code not in (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT):
                raise
        self._note(place, None)

    def _uid(self, place: Place) -> str:
        return self._found[place].uid if self._found else ""

    def _note(self, place: Place, obj: Mapping[str, Any] | None) -> None:
        if self._found is None:
            return  # the kind was taken away meanwhile
        if obj is None:
            self._found.pop(place, None)
        else:
            self._found[place] = observe_pod_monitor(obj)

    def _refused(self, key: Key, wanted: Monitored, error: ApiError | UnansweredError) -> str:
        """Note it, for the next try after a growing back-off; returns what people are told."""
        refused = error if isinstance(error, ApiError) else None
        if refused and refused.code in (HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY):
            self._note(_place(key), None)  # gone, or another one by that name
        before = self._refusals.get(key)
        count = before.count + 1 if before and before.wanted == wanted else 1
        self._settle(key)
        seconds = max((refused and refused.retry_after) or 0, backoff(count))
        retry = asyncio.get_running_loop().call_later(seconds, self._retry, key)
        text = "" if passing(error) else f"PodMonitor {_place(key)[1]}: {error}"
        self._refusals[key] = Refusal(wanted, text, count, retry)
        return text

    def _retry(self, key: Key) -> None:
        self._refusals[key] = replace(self._refusals[key], retry=None)
        self._changed([key])

    def _settle(self, key: Key) -> None:
        refusal = self._refusals.pop(key, None)
        if refusal and refusal.retry:
            refusal.retry.cancel()


def passing(error: ApiError | UnansweredError) -> bool:
    """Nothing that a person could mend; the kind itself may have gone."""
    return isinstance(error, UnansweredError) or error.passing or error.code == HTTPStatus.NOT_FOUND


def _place(key: Key) -> Place:
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
        f'a PodMonitor "{name}" exists already and is not this object\'s: it is left alone; delete it or '
        "rename this object"
    )
