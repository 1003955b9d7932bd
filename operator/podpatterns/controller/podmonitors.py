"""Keeps a PodMonitor for each object whose Pods have adapters, where prometheus-operator's kind is installed.

Whether it is, and which PodMonitors of ours are there, is asked at the start and from time to time; between
that a look at an object costs nothing. A stranger's PodMonitor is left alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from podpatterns.api import Pattern
from podpatterns.compose import Composition
from podpatterns.compose.labels import KIND
from podpatterns.compose.podmonitor import GROUP_VERSION, HASH, pod_monitor, pod_monitor_name
from podpatterns.controller.apiserver import ApiError, ApiServer, UnansweredError
from podpatterns.controller.backoff import backoff
from podpatterns.controller.key import Key

INTERVAL = 300.0
"""Seconds between two lists."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    uid: str
    owner: str
    """UID of the object that controls it; empty when none does."""
    hash: str


class PodMonitors:
    """`changed` gets the keys of the objects that lack theirs."""

    def __init__(self, api: ApiServer, changed: Callable[[Iterable[Key]], None]) -> None:
        self._api = api
        self._changed = changed
        self._found: dict[tuple[str, str], Found] | None = None
        """By namespace and name; None as long as the kind is not installed."""
        self._wanted: dict[Key, tuple[str, str]] = {}
        """Of each object, its UID and the hash of its PodMonitor."""

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
                self._changed([key for key, wanted in self._wanted.items() if not self._is(key, wanted)])
            await asyncio.sleep(min(INTERVAL, backoff(failures)) if failures else INTERVAL)

    async def keep(self, key: Key, app: Pattern, composition: Composition) -> str:
        """Make the PodMonitor what it should be. Returns why that can't be done; empty when it is done."""
        manifest = pod_monitor(app, composition)
        place = (key.namespace, pod_monitor_name(app))
        found = self._found.get(place) if self._found is not None else None
        if manifest is None:
            self._wanted.pop(key, None)
            if found and found.owner == app.metadata.uid:
                await self._delete(place, found)
            return ""
        self._wanted[key] = app.metadata.uid, manifest["metadata"]["annotations"][HASH]
        if self._found is None or self._is(key, self._wanted[key]):
            return ""
        if found and found.owner != app.metadata.uid:
            return _taken(place[1])
        try:
            await self._write(place, found, manifest)
        except ApiError as error:
            if error.reason == "AlreadyExists":
                # Not in our list: a stranger's. Until the next list nobody need try again.
                self._found[place] = Found("", "", "")
                return _taken(place[1])
            if error.code in (HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY):
                self._found.pop(place, None)  # gone, or another one by that name: the next look sees
            return f"PodMonitor {place[1]}: {error}"
        return ""

    def forget(self, key: Key) -> None:
        """The object is gone, and its PodMonitor will go with it."""
        self._wanted.pop(key, None)
        if self._found:
            self._found.pop((key.namespace, f"{key.kind.lower()}-{key.name}"), None)

    def _is(self, key: Key, wanted: tuple[str, str]) -> bool:
        found = (self._found or {}).get((key.namespace, f"{key.kind.lower()}-{key.name}"))
        return found is not None and (found.owner, found.hash) == wanted

    async def _list(self) -> dict[tuple[str, str], Found]:
        found = {}
        async for page in self._api.list_pages(f"/apis/{GROUP_VERSION}/podmonitors", labelSelector=KIND):
            for obj in page.items:
                found[obj["metadata"]["namespace"], obj["metadata"]["name"]] = _observe(obj)
        return found

    async def _write(self, place: tuple[str, str], found: Found | None, manifest: Mapping[str, Any]) -> None:
        """Create it, or bring `found` up to date; the test of the UID keeps that from a successor."""
        if found is None:
            answer = await self._api.create(_path(place[0]), manifest)
        else:
            meta = manifest["metadata"]
            operations = [
                {"op": "test", "path": "/metadata/uid", "value": found.uid},
                {"op": "add", "path": "/metadata/labels", "value": meta["labels"]},
                {"op": "add", "path": "/metadata/annotations", "value": meta["annotations"]},
                {"op": "add", "path": "/spec", "value": manifest["spec"]},
            ]
            answer = await self._api.json_patch(_path(*place), operations)
        if self._found is not None:
            self._found[place] = _observe(answer)

    async def _delete(self, place: tuple[str, str], found: Found) -> None:
        try:
            await self._api.delete(_path(*place), found.uid)
        except ApiError as error:
            if error.code not in (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT):
                raise
        if self._found is not None:
            self._found.pop(place, None)


def _path(namespace: str, name: str = "") -> str:
    return f"/apis/{GROUP_VERSION}/namespaces/{namespace}/podmonitors{f'/{name}' if name else ''}"


def _observe(obj: Mapping[str, Any]) -> Found:
    meta = obj["metadata"]
    owners = meta.get("ownerReferences") or ()
    owner = next((o["uid"] for o in owners if o.get("controller")), "")
    return Found(meta["uid"], owner, (meta.get("annotations") or {}).get(HASH, ""))


def _taken(name: str) -> str:
    return (
        f'a PodMonitor "{name}" exists already and is not this object\'s: it is left alone; delete it or '
        "rename this object"
    )
