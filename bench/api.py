"""The API server as the bench speaks to it: few and cheap requests, so that nobody waits for it."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self

import aiohttp

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Iterable, Mapping

CONCURRENT = 32
"""Requests under way at once when many objects are created."""
PAGE_SIZE = "1000"
METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
LINE_BYTES = 1 << 22


class Api:
    """A context manager that holds the connections."""

    def __init__(self, url: str, tls: ssl.SSLContext) -> None:
        self._session = aiohttp.ClientSession(
            url,
            connector=aiohttp.TCPConnector(ssl=tls, limit=0),
            timeout=aiohttp.ClientTimeout(total=None),
            raise_for_status=True,
            read_bufsize=LINE_BYTES,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def create(self, path: str, objects: Iterable[Mapping[str, Any]]) -> None:
        """Creates them all, many at once."""
        bodies = iter([json.dumps(obj).encode() for obj in objects])

        async def post() -> None:
            for body in bodies:
                async with self._session.post(
                    path, data=body, headers={"Content-Type": "application/json"}
                ) as answer:
                    await answer.read()

        await asyncio.gather(*(post() for _ in range(CONCURRENT)))

    async def patch(self, path: str, patch: Mapping[str, Any]) -> None:
        """A merge patch (RFC 7396)."""
        headers = {"Content-Type": "application/merge-patch+json"}
        async with self._session.patch(path, data=json.dumps(patch).encode(), headers=headers) as answer:
            await answer.read()

    async def get(self, path: str) -> dict[str, Any]:
        """One object."""
        async with self._session.get(path) as answer:
            found: dict[str, Any] = json.loads(await answer.read())
            return found

    async def exists(self, path: str) -> bool:
        """There is such an object."""
        try:
            await self.get(path)
        except aiohttp.ClientResponseError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return False
        return True

    async def items(self, path: str) -> list[dict[str, Any]]:
        """A collection's objects, whole, from the API server's cache."""
        async with self._session.get(path, params={"resourceVersion": "0"}) as answer:
            found: list[dict[str, Any]] = json.loads(await answer.read())["items"]
            return found

    async def delete(self, path: str, **params: str) -> None:
        """Deletes an object, or of a collection as many as the API server can within its time limit."""
        try:
            async with self._session.delete(path, params=params) as answer:
                await answer.read()
        except aiohttp.ClientResponseError as error:
            if error.status != HTTPStatus.GATEWAY_TIMEOUT:
                raise

    async def versions(self, path: str) -> dict[str, str]:
        """The resourceVersion of every object of the collection, by name."""
        return {meta["name"]: meta["resourceVersion"] for meta in await self._metadata(path)}

    async def uids(self, path: str) -> dict[str, str]:
        """The UID of every object of the collection, by name."""
        return {meta["name"]: meta["uid"] for meta in await self._metadata(path)}

    async def _metadata(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        token = ""
        while True:
            params = {"limit": PAGE_SIZE, **({"continue": token} if token else {})}
            async with self._session.get(path, params=params, headers={"Accept": METADATA}) as answer:
                page = json.loads(await answer.read())
            found += [item["metadata"] for item in page["items"] or ()]
            token = page["metadata"].get("continue", "")
            if not token:
                return found

    async def now(self, path: str) -> str:
        """The resourceVersion of the collection as it is."""
        async with self._session.get(path, params={"limit": "1"}, headers={"Accept": METADATA}) as answer:
            version: str = json.loads(await answer.read())["metadata"]["resourceVersion"]
            return version

    async def watch(self, path: str, since: str, **params: str) -> AsyncIterator[bytes]:
        """The lines of a watch of what comes after `since`, until the server ends it."""
        query = {"watch": "true", "resourceVersion": since, **params}
        async with self._session.get(path, params=query) as answer:
            async for line in answer.content:
                yield line
