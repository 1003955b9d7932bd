"""The API server as the controller reaches it: raw JSON over the asyncio client's transport.

The client's models are left out on purpose: they refuse fields that they don't know, and cost a third of the
rate at which Pods can be created.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio.client import ApiClient

from podpatterns import __version__
from podpatterns.controller.backoff import LONGEST
from podpatterns.controller.metrics import API_REQUEST_DURATION, api_request
from podpatterns.controller.normalized import yaml_text
from podpatterns.controller.pagesize import PageSize
from podpatterns.controller.watchstream import lines, read_event
from podpatterns.replicas.modification import FIELD_MANAGER

USER_AGENT = f"{FIELD_MANAGER}/{__version__}"
MESSAGE_LENGTH = 500
"""Characters shown of an answer that is not the API server's own."""
SHORTEST_PAUSE = 1.0
"""Seconds that an overloaded server is left alone at least."""
KNOWN_CODES = frozenset(HTTPStatus)
SMOOTHING = 0.1
"""The weight of the last write's time in the average."""
VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
JSON_PATCH = "application/json-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
YAML = "application/yaml"

Body = Mapping[str, Any] | Sequence[Mapping[str, Any]] | str


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait for the API server."""

    request: float = 30.0
    """Seconds for an answer. The API server gives up on a write after 34 (60 s less admission's share)."""
    silence: float = 75.0
    """Seconds without an event after which a watch is taken for dead: there is a bookmark every minute."""


class ApiError(Exception):
    """The server answered, and the answer is no.

    `status` is the body of the answer: a metav1.Status, or whatever a proxy on the way made up.
    """

    def __init__(self, code: int, status: Any, retry_after: float | None) -> None:
        fields: Mapping[str, Any] = status if isinstance(status, Mapping) else {}
        self.code = code
        self.status = status
        self.reason = str(fields.get("reason") or _phrase(code))
        self.message = str(fields.get("message") or self.reason)
        self.retry_after = max(retry_after or 0.0, SHORTEST_PAUSE if self.too_many_requests else 0.0)
        """Seconds until the next try at least: those that the server asks for, if any."""
        details = fields.get("details")
        self._causes = details.get("causes") if isinstance(details, Mapping) else None
        super().__init__(f"{self.reason}: {self.message}")

    @property
    def not_found(self) -> bool:
        """There is no such object, or no such kind."""
        return self.code == HTTPStatus.NOT_FOUND

    @property
    def forbidden(self) -> bool:
        """True if the operator has no right to that."""
        return self.code == HTTPStatus.FORBIDDEN

    @property
    def gone(self) -> bool:
        """True if the resourceVersion is too old: list anew."""
        return self.code == HTTPStatus.GONE

    @property
    def too_many_requests(self) -> bool:
        """True if the API server, or a limit set for us, is overloaded: wait for `retry_after`."""
        return self.code == HTTPStatus.TOO_MANY_REQUESTS

    @property
    def namespace_terminating(self) -> bool:
        """True if the namespace is being deleted: nothing can be created in it."""
        causes = self._causes if isinstance(self._causes, list) else []
        reasons = [cause.get("reason") for cause in causes if isinstance(cause, Mapping)]
        return self.code == HTTPStatus.FORBIDDEN and "NamespaceTerminating" in reasons

    @property
    def passing(self) -> bool:
        """True if it is no fault of the written object, and nothing to report: the API server is busy, or the
        namespace is being deleted."""
        return self.too_many_requests or self.namespace_terminating


class UnansweredError(Exception):
    """No answer came: a write may or may not have taken place."""

    retry_after = 0.0
    """Seconds until the next try at least."""


class PageTooLongError(Exception):
    """An answer has more bytes than it may have."""


@dataclass(frozen=True, slots=True)
class ListPage:
    items: list[Any]
    """Objects, unless somebody on the way made them something else."""
    resource_version: int


class ApiServer:
    """Requests with the client's authentication, which is renewed as tokens rotate.

    `fence` is called before every write and raises when there must be none any more.
    """

    def __init__(
        self,
        client: ApiClient,
        timeouts: Timeouts = Timeouts(),
        fence: Callable[[], None] = lambda: None,
    ) -> None:
        self.timeouts = timeouts
        self._fence = fence
        self.answer_time = 0.0
        """Seconds in which writes are answered lately: a moving average."""
        self._rest = client.rest_client
        self._configuration = client.configuration

    async def get(self, path: str) -> dict[str, Any]:
        return await self._json("GET", path)

    async def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return await self._json("POST", path, body=body)

    async def try_creation(self, path: str, body: Mapping[str, Any]) -> None:
        """Have the server judge a creation that does not take place. Raises ApiError if it refuses it."""
        await self._json("POST", path, body=body, params={"dryRun": "All"})

    async def create_normalized(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create an object with a part that the server keeps as it came, byte by byte.

        ControllerRevision.data is such a part, and immutable: whoever patches the object, the garbage
        collector included, is refused unless those bytes are what the server itself would write. It does so
        when it has to make JSON of YAML, which JSON is.
        """
        return await self._json("POST", path, body=yaml_text(body), content_type=YAML)

    async def replace(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return await self._json("PUT", path, body=body)

    async def json_patch(self, path: str, operations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Write a JSON patch (RFC 6902): all operations or, when one such as a `test` fails (422), none."""
        return await self._json("PATCH", path, body=operations, content_type=JSON_PATCH)

    async def strategic_patch(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Write a strategic merge patch, for Kubernetes' own types: lists are merged by their keys."""
        return await self._json("PATCH", path, body=body, content_type=STRATEGIC_PATCH)

    async def delete(self, path: str, uid: str) -> dict[str, Any]:
        """Delete the object with that UID and no other; the grace period is the object's own."""
        return await self._json("DELETE", path, body={"preconditions": {"uid": uid}})

    async def list_pages(self, path: str, **params: str) -> AsyncIterator[ListPage]:
        """Yield the whole list, page by page, as of one moment no earlier than this call."""
        size, token = PageSize(), ""
        while True:
            query = {**params, "limit": str(size.limit), **({"continue": token} if token else {})}
            try:
                text = await self._text("GET", path, params=query, max_bytes=size.max_bytes)
            except PageTooLongError:
                size.too_long()
                continue
            page, token = _page(path, text)
            size.seen(len(page.items), len(text))
            yield page
            if not token:
                return

    async def watch(self, path: str, since: int, **params: str) -> AsyncGenerator[dict[str, Any]]:
        """Yield the watch events after the resourceVersion `since`, bookmarks included.

        Ends when the server closes the stream. Raises UnansweredError when it breaks or is silent for too
        long, ApiError for an ERROR event or a refusal, MalformedEventError for what is no event.
        """
        query = {**params, "watch": "true", "allowWatchBookmarks": "true", "resourceVersion": str(since)}
        unbounded = aiohttp.ClientTimeout(sock_connect=self.timeouts.request, sock_read=self.timeouts.silence)
        response = await self._request("GET", path, params=query, timeout=unbounded)
        try:
            async for line in lines(response.content):
                event = read_event(line)
                if event["type"] == "ERROR":
                    raise _error(event["object"])
                yield event
        except (aiohttp.ClientError, TimeoutError) as error:
            raise UnansweredError(f"watch of {path}: {error!r}") from error
        finally:
            response.close()

    async def _json(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        return _object(f"{method} {path}", await self._text(method, path, **request))

    async def _text(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Body | None = None,
        content_type: str = "application/json",
        max_bytes: int | None = None,
    ) -> bytes:
        """Return the answer's body; raises PageTooLongError when it has more than `max_bytes`."""
        timeout = aiohttp.ClientTimeout(total=self.timeouts.request)
        if method != "GET":
            self._fence()
        asked = time.monotonic()
        try:
            response = await self._request(
                method, path, params=params, body=body, content_type=content_type, timeout=timeout
            )
            async with response:
                text = await _read(response, max_bytes)
            if method != "GET":
                self.answer_time += SMOOTHING * (time.monotonic() - asked - self.answer_time)
            return text
        except (aiohttp.ClientError, TimeoutError) as error:
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
        headers = {"Content-Type": content_type, "Accept": "application/json", "User-Agent": USER_AGENT}
        for setting in (await self._configuration.auth_settings()).values():
            headers[setting["key"]] = setting["value"]
        manager = {"fieldManager": FIELD_MANAGER} if method in ("POST", "PUT", "PATCH") else {}
        query = urlencode({**(params or {}), **manager})
        url = f"{self._configuration.host}{path}{f'?{query}' if query else ''}"
        verb, code, began = _verb(method, params or {}), "unanswered", time.monotonic()
        try:
            wrapped = await self._rest.request(
                method, url, headers=headers, body=body, _request_timeout=timeout
            )
            response: aiohttp.ClientResponse = wrapped.response
            code = str(response.status) if response.status in KNOWN_CODES else "unknown"
        except (aiohttp.ClientError, TimeoutError) as error:
            raise UnansweredError(f"{method} {path}: {error!r}") from error
        finally:
            api_request(verb, code).inc()
            API_REQUEST_DURATION.labels(verb).observe(time.monotonic() - began)
        if response.status >= HTTPStatus.BAD_REQUEST:
            try:
                async with response:
                    text = await response.read()
            except (aiohttp.ClientError, TimeoutError) as error:
                raise UnansweredError(f"{method} {path}: {error!r}") from error
            raise _refusal(response, text)
        return response


async def _read(response: aiohttp.ClientResponse, max_bytes: int | None) -> bytes:
    if max_bytes is None:
        return await response.read()
    parts, size = [], 0
    async for part in response.content.iter_any():
        parts.append(part)
        size += len(part)
        if size > max_bytes:
            # Not read to its end: the connection can't be used again.
            response.close()
            raise PageTooLongError
    return b"".join(parts)


def _object(asked: str, text: bytes) -> dict[str, Any]:
    """Return the JSON object of an answer. Anything else is nobody's answer to what was asked."""
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnansweredError(f"{asked}: {error!r}") from error
    if not isinstance(answer, dict):
        raise UnansweredError(f"{asked}: no JSON object but {text[:MESSAGE_LENGTH]!r}")
    return answer


def _page(path: str, text: bytes) -> tuple[ListPage, str]:
    """Return a page, and the token that continues the list, empty at its end."""
    answer = _object(f"GET {path}", text)
    try:
        meta = answer["metadata"]
        page = ListPage(list(answer["items"] or ()), int(meta["resourceVersion"]))
        return page, str(meta.get("continue") or "")
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise UnansweredError(f"GET {path}: no list: {error!r}") from error


def _refusal(response: aiohttp.ClientResponse, text: bytes) -> ApiError | UnansweredError:
    try:
        status = json.loads(text)
    except (ValueError, RecursionError):  # the answer of a proxy on the way
        status = {"message": text[:MESSAGE_LENGTH].decode(errors="replace")}
    error = ApiError(response.status, status, seconds(response.headers.get("Retry-After", "")))
    if error.code in (HTTPStatus.GATEWAY_TIMEOUT, HTTPStatus.BAD_GATEWAY) or error.code not in KNOWN_CODES:
        # Somebody gave up waiting for the answer, or could not pass it on.
        return UnansweredError(f"{response.method} {response.url.path}: {error.code} {error.message}")
    return error


def _error(status: Any) -> ApiError:
    """Return the error of an ERROR event."""
    code = status.get("code") if isinstance(status, Mapping) else None
    return ApiError(code if isinstance(code, int) else HTTPStatus.INTERNAL_SERVER_ERROR, status, None)


def seconds(retry_after: str) -> float | None:
    """Return the seconds of a Retry-After header, a minute at most: anybody's admission webhook can set it.

    A date is not heeded: the API server gives none.
    """
    with suppress(ValueError):
        value = float(retry_after)
        return min(value, LONGEST) if math.isfinite(value) and value >= 0 else None
    return None


def _verb(method: str, params: Mapping[str, str]) -> str:
    """Return the verb of the request, as in RBAC."""
    if method != "GET":
        return VERBS[method]
    return "watch" if "watch" in params else "list" if "limit" in params else "get"


def _phrase(code: int) -> str:
    return HTTPStatus(code).phrase.replace(" ", "") if code in KNOWN_CODES else f"Status{code}"
