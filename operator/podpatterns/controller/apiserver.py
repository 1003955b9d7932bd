"""The API server as the controller speaks to it: raw JSON over the asyncio client's transport.

The client's models are left out on purpose: they refuse fields that they don't know, and cost a third of the
rate at which Pods can be created.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio.client import ApiClient

PAGE_SIZE = 500
SMOOTHING = 0.1
"""The weight of the last write's time in the average."""
JSON_PATCH = "application/json-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
YAML = "application/yaml"

Body = Mapping[str, Any] | Sequence[Mapping[str, Any]] | str


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for the API server, in seconds."""

    request: float = 30.0
    """For an answer. The API server itself gives up on a write after 34 (its 60 s less admission's share)."""
    silence: float = 75.0
    """For the next word of a watch, after which it is taken for dead: there is a bookmark every minute."""


class ApiError(Exception):
    """The server answered, and the answer is no."""

    def __init__(self, code: int, status: Mapping[str, Any], retry_after: float | None) -> None:
        self.code = code
        self.reason = str(status.get("reason") or HTTPStatus(code).phrase.replace(" ", ""))
        self.message = str(status.get("message") or self.reason)
        self.retry_after = retry_after
        """Seconds that the server asks to wait."""
        super().__init__(f"{self.reason}: {self.message}")

    @property
    def gone(self) -> bool:
        """The resourceVersion is too old: list anew."""
        return self.code == HTTPStatus.GONE


class UnansweredError(Exception):
    """No answer came: a write may or may not have taken place."""


@dataclass(frozen=True, slots=True)
class ListPage:
    items: list[dict[str, Any]]
    resource_version: int


class ApiServer:
    """Requests with the client's authentication, which is renewed as tokens rotate.

    `fence` is called before every write and raises when there must be none any more.
    """

    def __init__(
        self,
        client: ApiClient,
        patience: Patience = Patience(),
        fence: Callable[[], None] = lambda: None,
    ) -> None:
        self.patience = patience
        self._fence = fence
        self.answer_time = 0.0
        """Seconds in which writes are answered lately: a moving average."""
        self._rest = client.rest_client
        self._configuration = client.configuration

    async def get(self, path: str) -> dict[str, Any]:
        return await self._json("GET", path)

    async def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return await self._json("POST", path, body=body)

    async def create_normalized(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create an object with a part that the server keeps as it came, byte by byte.

        ControllerRevision.data is such a part, and immutable: whoever patches the object, the garbage
        collector included, is refused unless those bytes are what the server itself would write. It does so
        when it has to make JSON of YAML, which JSON is.
        """
        text = json.dumps(body, ensure_ascii=False)
        return await self._json("POST", path, body=text, content_type=YAML)

    async def replace(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return await self._json("PUT", path, body=body)

    async def json_patch(self, path: str, operations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """A JSON patch (RFC 6902): all operations or, when one such as a `test` fails (422), none."""
        return await self._json("PATCH", path, body=operations, content_type=JSON_PATCH)

    async def strategic_patch(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A patch that knows Kubernetes' own types: lists are merged by their keys."""
        return await self._json("PATCH", path, body=body, content_type=STRATEGIC_PATCH)

    async def delete(self, path: str, uid: str) -> dict[str, Any]:
        """Delete the object with that UID and no other; the grace period is the object's own."""
        return await self._json("DELETE", path, body={"preconditions": {"uid": uid}})

    async def list_pages(self, path: str, **params: str) -> AsyncIterator[ListPage]:
        """The whole list, page by page, as of one moment no earlier than this call."""
        token = ""
        while True:
            query = {**params, "limit": str(PAGE_SIZE), **({"continue": token} if token else {})}
            answer = await self._json("GET", path, params=query)
            meta = answer["metadata"]
            yield ListPage(answer["items"], int(meta["resourceVersion"]))
            token = meta.get("continue", "")
            if not token:
                return

    async def watch(self, path: str, since: int, **params: str) -> AsyncIterator[dict[str, Any]]:
        """Watch events after the resourceVersion `since`, bookmarks included.

        Ends when the server closes the stream. Raises UnansweredError when it breaks or is silent for too
        long, ApiError for an ERROR event or a refusal.
        """
        query = {**params, "watch": "true", "allowWatchBookmarks": "true", "resourceVersion": str(since)}
        unbounded = aiohttp.ClientTimeout(sock_connect=self.patience.request, sock_read=self.patience.silence)
        response = await self._request("GET", path, params=query, timeout=unbounded)
        try:
            async for line in response.content:
                event: dict[str, Any] = json.loads(line)
                if event["type"] == "ERROR":
                    raise ApiError(event["object"].get("code", 500), event["object"], None)
                yield event
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise UnansweredError(f"watch of {path}: {error!r}") from error
        finally:
            response.close()

    async def _json(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Body | None = None,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        timeout = aiohttp.ClientTimeout(total=self.patience.request)
        if method != "GET":
            self._fence()
        asked = time.monotonic()
        try:
            response = await self._request(
                method, path, params=params, body=body, content_type=content_type, timeout=timeout
            )
            async with response:
                answer: dict[str, Any] = json.loads(await response.read())
            if method != "GET":
                self.answer_time += SMOOTHING * (time.monotonic() - asked - self.answer_time)
            return answer
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise UnansweredError(f"{method} {path}: {error!r}") from error

    async def _request(
        self,
        method: str,
        path: str,
        *,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 (aiohttp's own)
        params: Mapping[str, str] | None = None,
        body: Body | None = None,
        content_type: str = "application/json",
    ) -> aiohttp.ClientResponse:
        headers = {"Content-Type": content_type, "Accept": "application/json"}
        for setting in (await self._configuration.auth_settings()).values():
            headers[setting["key"]] = setting["value"]
        query = f"?{urlencode(params)}" if params else ""
        url = f"{self._configuration.host}{path}{query}"
        try:
            wrapped = await self._rest.request(
                method, url, headers=headers, body=body, _request_timeout=timeout
            )
        except (aiohttp.ClientError, TimeoutError) as error:
            raise UnansweredError(f"{method} {path}: {error!r}") from error
        response: aiohttp.ClientResponse = wrapped.response
        if response.status >= HTTPStatus.BAD_REQUEST:
            async with response:
                raise await _refusal(response)
        return response


async def _refusal(response: aiohttp.ClientResponse) -> ApiError | UnansweredError:
    retry_after = response.headers.get("Retry-After", "")
    text = await response.text()
    try:
        status = json.loads(text)
    except ValueError:  # a proxy on the way answers in its own words
        status = {"message": text[:500]}
    if response.status in (HTTPStatus.GATEWAY_TIMEOUT, HTTPStatus.BAD_GATEWAY):
        # Somebody gave up waiting for the answer, or could not pass it on.
        return UnansweredError(
            f"{response.method} {response.url.path}: {response.status} {status.get('message')}"
        )
    return ApiError(response.status, status, float(retry_after) if retry_after.isdecimal() else None)
