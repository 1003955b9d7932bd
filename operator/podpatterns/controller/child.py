"""Objects that ours own: created under names that tell whose they are, and written by UID.

A name says too little: whoever deletes an object and makes another under its name must not have that one
changed or deleted by a write that was meant for the first.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from podpatterns.controller.apiserver import ApiError, ApiServer


class Overtaken(ApiError):
    """The object is gone, or another one has its name by now. The watch or the next list tells more."""


async def unless_exists(creation: Awaitable[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the object created; None when one of its name exists, whoever's it is."""
    try:
        return await creation
    except ApiError as error:
        if error.reason != "AlreadyExists":
            raise
        return None


async def find(api: ApiServer, path: str) -> dict[str, Any] | None:
    """Return the object as the server knows it now; None when there is none."""
    try:
        return await api.get(path)
    except ApiError as error:
        if not error.not_found:
            raise
        return None


async def is_there(api: ApiServer, path: str, uid: str) -> bool:
    """Tell whether an object is there with that UID and not terminating, as the server knows it now.

    Caches may be late: an owner that is being deleted must not adopt anything.
    """
    found = await find(api, path)
    meta = found["metadata"] if found else {}
    return meta.get("uid") == uid and "deletionTimestamp" not in meta


async def patch(api: ApiServer, path: str, uid: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object with that UID after a strategic merge patch.

    Raises:
        Overtaken: it is gone, or another one has its name.
    """
    metadata = {**changes.get("metadata", {}), "uid": uid}
    return await _written(api.strategic_patch(path, {**changes, "metadata": metadata}), HTTPStatus.CONFLICT)


async def patch_status(api: ApiServer, path: str, uid: str, status: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object with that UID after a strategic merge patch of its status.

    There the server refuses another UID as it refuses an invalid object.

    Raises:
        Overtaken: it is gone, another one has its name, or the status is invalid.
    """
    changes = {"metadata": {"uid": uid}, "status": status}
    return await _written(api.strategic_patch(f"{path}/status", changes), HTTPStatus.UNPROCESSABLE_ENTITY)


async def json_patch(
    api: ApiServer, path: str, uid: str, operations: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the object with that UID after a JSON patch.

    That is for a subresource, where the server takes no notice of a UID in the metadata, and for custom
    resources, which have no strategic patch. The server refuses an invalid object in the same way.

    Raises:
        Overtaken: it is gone, another one has its name, or what was made of it would be invalid.
    """
    test = {"op": "test", "path": "/metadata/uid", "value": uid}
    return await _written(api.json_patch(path, [test, *operations]), HTTPStatus.UNPROCESSABLE_ENTITY)


async def delete(api: ApiServer, path: str, uid: str) -> dict[str, Any]:
    """Return the server's answer to the deletion of the object with that UID.

    Raises:
        Overtaken: it is gone, or another one has its name: nothing is left to delete.
    """
    return await _written(api.delete(path, uid), HTTPStatus.CONFLICT)


async def _written(write: Awaitable[dict[str, Any]], another: HTTPStatus) -> dict[str, Any]:
    """Return the answer to a write; `another` is the code by which the server says that the UID differs."""
    try:
        return await write
    except ApiError as error:
        if not error.not_found and error.code != another:
            raise
        raise Overtaken(error.code, error.status, error.retry_after) from error
