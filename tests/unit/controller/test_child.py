"""What comes of a write of an object that has gone, or has been made anew under its name."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from podpatterns.controller import child
from podpatterns.controller.apiserver import ApiError, ApiServer
from tests.unit.controller.server import Handler, record, refusal, serving

PATH, UID = "/api/v1/namespaces/ns/pods/site-0", "uid-site-0"
MADE = record("site-0")
Write = Callable[[ApiServer], Awaitable[object]]

DELETE: Write = lambda api: child.delete(api, PATH, UID)  # noqa: E731
PATCH: Write = lambda api: child.patch(api, PATH, UID, {"metadata": {"labels": {"a": "b"}}})  # noqa: E731
JSON_PATCH: Write = lambda api: child.json_patch(api, PATH, UID, [{"op": "add"}])  # noqa: E731


def answering(answer: web.Response, bodies: list[Any]) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        bodies.append(json.loads(await request.read() or b"null"))
        return answer

    return handle


@pytest.mark.parametrize(
    ("write", "body"),
    [
        (DELETE, {"preconditions": {"uid": UID}}),
        (PATCH, {"metadata": {"labels": {"a": "b"}, "uid": UID}}),
        (JSON_PATCH, [{"op": "test", "path": "/metadata/uid", "value": UID}, {"op": "add"}]),
    ],
)
async def test_every_write_names_the_uid(write: Write, body: object) -> None:
    bodies: list[Any] = []
    async with serving(answering(web.json_response(MADE), bodies)) as api:
        assert await write(api) == MADE
    assert bodies == [body]


@pytest.mark.parametrize(
    ("write", "code", "overtaken"),
    [
        (DELETE, 404, True),
        (DELETE, 409, True),
        (DELETE, 403, False),
        (PATCH, 404, True),
        (PATCH, 409, True),
        (PATCH, 422, False),
        (JSON_PATCH, 404, True),
        (JSON_PATCH, 422, True),
        (JSON_PATCH, 409, False),
    ],
)
async def test_a_write_that_came_too_late(write: Write, code: int, *, overtaken: bool) -> None:
    answer = refusal(code, reason="Because", message="of that")
    answer.headers["Retry-After"] = "7"
    async with serving(answering(answer, [])) as api:
        with pytest.raises(ApiError) as raised:
            await write(api)
    assert isinstance(raised.value, child.Overtaken) is overtaken
    told = raised.value
    assert (told.code, told.reason, told.message, told.retry_after) == (code, "Because", "of that", 7)


async def test_a_name_that_is_taken() -> None:
    async with serving(answering(refusal(409, reason="AlreadyExists"), [])) as api:
        assert await child.unless_exists(api.create(PATH, {})) is None
    async with serving(answering(refusal(409, reason="Conflict"), [])) as api:
        with pytest.raises(ApiError):
            await child.unless_exists(api.create(PATH, {}))
    async with serving(answering(web.json_response(MADE), [])) as api:
        assert await child.unless_exists(api.create(PATH, {})) == MADE


TERMINATING = {"metadata": {**MADE["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}


@pytest.mark.parametrize(
    ("answer", "there"),
    [
        (lambda: web.json_response(MADE), True),
        (lambda: web.json_response({"metadata": {"uid": "another"}}), False),
        (lambda: web.json_response(TERMINATING), False),
        (lambda: refusal(404, reason="NotFound"), False),
    ],
)
async def test_an_owner_is_there_as_long_as_it_may_adopt(
    answer: Callable[[], web.Response], *, there: bool
) -> None:
    async with serving(answering(answer(), [])) as api:
        assert await child.is_there(api, PATH, UID) is there


async def test_an_owner_that_cannot_be_read_is_not_taken_for_gone() -> None:
    async with serving(answering(refusal(403, reason="Forbidden"), [])) as api:
        with pytest.raises(ApiError):
            await child.is_there(api, PATH, UID)
