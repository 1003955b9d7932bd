"""An API server in memory: objects by their path, answered at once.

It knows what the operator relies on: resourceVersions, UIDs with their preconditions, graceful deletion, JSON
patches, and of strategic merge patches lists by name. It checks no schema and sends no events.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from copy import deepcopy
from http import HTTPStatus
from typing import Any

from podpatterns.controller.apiserver import ApiError, ApiServer, ListPage, Timeouts
from podpatterns.replicas.pod import timestamp

Object = dict[str, Any]


class MemoryApi(ApiServer):
    """`now` gives the Unix seconds at which objects are created."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.timeouts = Timeouts()
        self.answer_time = 0.0
        self.objects: dict[str, Object] = {}
        self.forbidden: set[str] = set()
        """Paths of collections in which nothing may be created."""
        self.writes = 0
        self._now = now

    def put(self, path: str, obj: Mapping[str, Any]) -> Object:
        """Store a new or changed object; return it as the server would send it."""
        self.writes += 1
        stored = json.loads(json.dumps(obj))
        meta = stored["metadata"]
        meta.setdefault("uid", f"{self.writes:08}-0000")
        meta.setdefault("creationTimestamp", timestamp(self._now()))
        meta["resourceVersion"] = str(self.writes)
        self.objects[path] = stored
        return deepcopy(stored)

    def of(self, collection: str) -> list[Object]:
        found = [obj for path, obj in self.objects.items() if path.startswith(f"{collection}/")]
        return deepcopy(found)

    async def get(self, path: str) -> Object:
        return deepcopy(self._find(path))

    async def create(self, path: str, body: Mapping[str, Any]) -> Object:
        if path in self.forbidden:
            raise _refusal(HTTPStatus.FORBIDDEN, "Forbidden", "exceeded quota")
        where = f"{path}/{body['metadata']['name']}"
        if where in self.objects:
            raise _refusal(HTTPStatus.CONFLICT, "AlreadyExists", where)
        namespace = path.split("/namespaces/")[1].split("/", maxsplit=1)[0]
        metadata = {**body["metadata"], "namespace": namespace, "generation": 1}
        return self.put(where, {**body, "metadata": metadata})

    async def create_normalized(self, path: str, body: Mapping[str, Any]) -> Object:
        return await self.create(path, body)

    async def json_patch(self, path: str, operations: Sequence[Mapping[str, Any]]) -> Object:
        where = path.removesuffix("/status")
        changed = deepcopy(self._find(where))
        for operation in operations:
            *parents, last = operation["path"].strip("/").split("/")
            at = changed
            for name in parents:
                at = at[name]
            if operation["op"] == "test" and at.get(last) != operation["value"]:
                raise _refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid", "the test failed")
            if operation["op"] in ("add", "replace"):
                at[last] = operation["value"]
        return self.put(where, changed)

    async def strategic_patch(self, path: str, body: Mapping[str, Any]) -> Object:
        where = path.removesuffix("/resize")
        found = self._find(where)
        wanted = {name: body["metadata"].get(name) for name in ("uid", "resourceVersion")}
        if any(value and value != found["metadata"][name] for name, value in wanted.items()):
            raise _refusal(HTTPStatus.CONFLICT, "Conflict", where)
        changed = merged(found, body)
        if changed.get("spec") != found.get("spec"):
            changed["metadata"]["generation"] += 1
        return self.put(where, changed)

    async def delete(self, path: str, uid: str) -> Object:
        """A Pod is there until its kubelet lets it go, anything else is gone at once."""
        found = self._find(path)
        if found["metadata"]["uid"] != uid:
            raise _refusal(HTTPStatus.CONFLICT, "Conflict", path)
        if found["kind"] == "Pod":
            return self.put(path, merged(found, {"metadata": {"deletionTimestamp": timestamp(self._now())}}))
        del self.objects[path]
        return {"kind": "Status"}

    async def list_pages(self, path: str, **params: str) -> AsyncIterator[ListPage]:
        wanted = dict(pair.split("=") for pair in params.get("labelSelector", "").split(",") if pair)
        items = [o for o in self.of(path) if wanted.items() <= (o["metadata"].get("labels") or {}).items()]
        yield ListPage(items, self.writes)

    def _find(self, path: str) -> Object:
        if path not in self.objects:
            raise _refusal(HTTPStatus.NOT_FOUND, "NotFound", path)
        return self.objects[path]


def merged(obj: Any, patch: Any) -> Any:
    """Return the object after a strategic merge patch."""
    if isinstance(obj, dict) and isinstance(patch, Mapping):
        result = dict(obj)
        for name, value in patch.items():
            if value is None:
                result.pop(name, None)
            else:
                result[name] = merged(obj.get(name), value)
        return result
    if isinstance(obj, list) and isinstance(patch, list) and all("name" in item for item in [*obj, *patch]):
        by_name = {item["name"]: item for item in obj}
        for item in patch:
            by_name[item["name"]] = merged(by_name.get(item["name"]), item)
        return list(by_name.values())
    return patch


def _refusal(code: HTTPStatus, reason: str, message: str) -> ApiError:
    return ApiError(code, {"reason": reason, "message": message}, None)
