"""Keeps the ConfigMap that an object's Pods mount: written before them, put right when it drifts, gone when
nothing mounts it any more. A stranger's is neither adopted nor overwritten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from podpatterns.api import Pattern
from podpatterns.api.conditions import Reason
from podpatterns.compose import Composition, config_map_manifest
from podpatterns.compose.part import config_map_name
from podpatterns.compose.revision import short_hash
from podpatterns.controller import child
from podpatterns.controller.apiserver import ApiError, ApiServer
from podpatterns.controller.configmapstore import ConfigMapStore
from podpatterns.replicas import Pod, Wanted
from podpatterns.replicas.configmap import (
    ConfigMap,
    Create,
    Delete,
    LeaveAlone,
    Patch,
    decide,
    is_mounted,
    observe_config_map,
    stale_keys,
)
from podpatterns.replicas.failure import Failure, refused


class ConfigMaps:
    def __init__(self, api: ApiServer, store: ConfigMapStore) -> None:
        self._api = api
        self._store = store

    async def keep(
        self, app: Pattern, composition: Composition, wanted: Wanted, pods: Sequence[Pod]
    ) -> Failure | None:
        """Make the ConfigMap hold the composition's files. A Failure says why it doesn't, and no Pod that
        mounts it should be made."""
        manifest = config_map_manifest(app, composition.data)
        # A Pod that the update is kept away from comes back as one of the held revision.
        may_come_back = bool(wanted.held_revision) and wanted.replicas > sum(
            1 for p in pods if p.live and p.revision == wanted.revision
        )
        outdated = may_come_back or any(p.revision != wanted.revision for p in pods)
        namespace, name = app.metadata.namespace, manifest["metadata"]["name"]
        found = self._store.get(namespace, name)
        try:
            return await self._carry_out(manifest, found, outdated_pods=outdated, paused=wanted.paused)
        except ApiError as error:
            if error.passing:
                raise
            return refused(error.reason, f"ConfigMap {name}: {error.message}")

    def is_own(self, app: Pattern) -> bool:
        """There is a ConfigMap under the object's name, and the object controls it."""
        found = self._store.get(app.metadata.namespace, config_map_name(app))
        return found is not None and found.controller == app.metadata.uid

    def is_missing(self, app: Pattern, template: Mapping[str, Any]) -> bool:
        """Pods made from the template need the object's ConfigMap, and nobody has one of that name."""
        name = config_map_name(app)
        return self._store.get(app.metadata.namespace, name) is None and is_mounted(name, template)

    def held_configuration(self, app: Pattern, composition: Composition) -> str:
        """Return a hash of the configuration that Pods read while it is not the newest; empty if it is."""
        found = self._store.get(app.metadata.namespace, config_map_name(app))
        if found is None or not stale_keys(composition.data, found):
            return ""
        return short_hash(dict(found.hashes))

    async def _carry_out(
        self, manifest: dict[str, Any], found: ConfigMap | None, *, outdated_pods: bool, paused: bool
    ) -> Failure | None:
        meta = manifest["metadata"]
        path = f"/api/v1/namespaces/{meta['namespace']}/configmaps"
        [owner] = meta["ownerReferences"]
        wanted = ConfigMap(meta["name"], "", meta["labels"], owner["uid"], {})
        match decide(manifest["data"], wanted, found, outdated_pods=outdated_pods, paused=paused):
            case Create():
                created = await child.unless_exists(self._api.create(path, manifest))
                if created is None:
                    # Not in our view: a stranger's, or our own without its labels.
                    there = observe_config_map(await self._api.get(f"{path}/{meta['name']}"))
                    return await self._carry_out(manifest, there, outdated_pods=outdated_pods, paused=paused)
                self._store.put(created)
            case Patch(data):
                assert found is not None
                await self._patch(f"{path}/{meta['name']}", found, {"metadata": meta, "data": dict(data)})
            case Delete():
                assert found is not None
                await self._delete(f"{path}/{meta['name']}", found)
            case LeaveAlone():
                return Failure(
                    Reason.CONFIG_MAP_NAME_TAKEN,
                    f'a ConfigMap "{meta["name"]}" exists already and is not this object\'s: the operator '
                    "leaves it alone; delete it or rename this object",
                )
        return None

    async def _patch(self, path: str, found: ConfigMap, manifest: dict[str, Any]) -> None:
        try:
            self._store.put(await child.patch(self._api, path, found.uid, manifest))
        except child.Overtaken:
            self._store.forget(found.uid)  # the next reconcile sees
            raise

    async def _delete(self, path: str, found: ConfigMap) -> None:
        with suppress(child.Overtaken):
            await child.delete(self._api, path, found.uid)
        self._store.forget(found.uid)
