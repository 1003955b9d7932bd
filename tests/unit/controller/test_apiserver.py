"""Answers of the API server that are odd, long or none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import web

from podpatterns.controller.apiserver import SHORTEST_PAUSE, ApiError, ApiServer, UnansweredError, seconds
from podpatterns.controller.pagesize import FIRST_LIMIT, MAX_LIMIT, PAGE_BYTES, PageSize
from podpatterns.controller.watchstream import MalformedEventError, read_event
from tests.unit.controller.server import Handler, event, is_watch, listing, record, serving, stream

LONG = 6 << 20
"""Longer than any buffer on the way."""


async def events(handler: Handler) -> list[dict[str, Any]]:
    async with serving(handler) as api:
        return [found async for found in api.watch("/api/v1/pods", 1)]


async def asked(answer: web.Response, method: str = "GET") -> dict[str, Any]:
    async def handler(_: web.Request) -> web.Response:
        return answer

    async with serving(handler) as api:
        return await (api.get("/api/v1/x") if method == "GET" else api.create("/api/v1/x", {}))


async def test_a_line_of_a_watch_may_be_long() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return await stream(
            request,
            event("ADDED", record("long", text="x" * LONG)),
            b"",
            event("ADDED", record("next")),
        )

    assert [found["object"]["metadata"]["name"] for found in await events(handler)] == ["long", "next"]


async def test_half_an_event_is_left_to_the_next_watch() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = await stream(request, event("ADDED", record("whole")))
        await response.write(event("ADDED", record("half"))[:20])
        return response

    assert [found["object"]["metadata"]["name"] for found in await events(handler)] == ["whole"]


@pytest.mark.parametrize(
    "line",
    [
        b"<html>",
        b"\xff",
        b"3",
        b"[]",
        b"{}",
        b"[" * 100_000,
        event("ADDED", None),
        event("ADDED", []),
        event("ADDED", {}),
        event("ADDED", {"metadata": None}),
        event("ADDED", {"metadata": {"resourceVersion": "new"}}),
        event("BOOKMARK", {"metadata": {"resourceVersion": "-1"}}),
        event("RENAMED", record("x")),
        json.dumps({"type": ["ADDED"], "object": record("x")}).encode(),
    ],
)
def test_a_line_that_is_no_event(line: bytes) -> None:
    with pytest.raises(MalformedEventError):
        read_event(line)


@pytest.mark.parametrize(
    ("status", "code"),
    [({"code": 410, "reason": "Expired"}, 410), (None, 500), ({"code": "?"}, 500), ([], 500)],
)
async def test_an_error_event(status: Any, code: int) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return await stream(request, event("ERROR", status))

    with pytest.raises(ApiError) as error:
        await events(handler)
    assert error.value.code == code


@pytest.mark.parametrize("code", [502, 504, 499, 520, 529])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_code_of_somebody_on_the_way_is_no_answer(code: int, method: str) -> None:
    with pytest.raises(UnansweredError, match=str(code)):
        await asked(web.Response(status=code, text="<html>overloaded"), method)


@pytest.mark.parametrize("body", ["", "<html>", "null", "[1]", '"no"', "3", "[" * 100_000, '{"details": 3}'])
@pytest.mark.parametrize("code", [403, 429, 500])
async def test_a_refusal_of_an_odd_form(code: int, body: str) -> None:
    with pytest.raises(ApiError) as error:
        await asked(web.Response(status=code, text=body))
    assert error.value.code == code
    assert error.value.reason
    assert not error.value.namespace_terminating


@pytest.mark.parametrize("body", ["", "<html>", "null", "[1]", "3", "[" * 100_000])
async def test_an_answer_that_is_no_object(body: str) -> None:
    with pytest.raises(UnansweredError):
        await asked(web.Response(text=body))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"metadata": None, "items": []},
        {"metadata": {"resourceVersion": "new"}, "items": []},
        {"metadata": {"resourceVersion": "1"}},
        {"metadata": {"resourceVersion": "1"}, "items": 3},
    ],
)
async def test_a_list_of_an_odd_form(body: Any) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.json_response(body)

    async with serving(handler) as api:
        with pytest.raises(UnansweredError):
            [page async for page in api.list_pages("/api/v1/pods")]


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("1", 1.0),
        ("0.5", 0.5),
        ("0", 0.0),
        ("", None),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("Fri, 31 Dec 2027 23:59:59 GMT", None),
    ],
)
def test_retry_after(header: str, found: float | None) -> None:
    assert seconds(header) == found


async def test_too_many_requests_say_how_long_to_wait() -> None:
    with pytest.raises(ApiError) as error:
        await asked(web.Response(status=429, headers={"Retry-After": "2.5"}))
    assert error.value.too_many_requests
    assert error.value.retry_after == 2.5


@pytest.mark.parametrize("header", ["0", "soon", ""])
async def test_an_overloaded_server_is_left_alone_for_a_second_at_least(header: str) -> None:
    with pytest.raises(ApiError) as error:
        await asked(web.Response(status=429, headers={"Retry-After": header}))
    assert error.value.retry_after == SHORTEST_PAUSE
    with pytest.raises(ApiError) as error:
        await asked(web.Response(status=403, headers={"Retry-After": header}))
    assert error.value.retry_after == 0


@pytest.mark.parametrize(
    ("code", "details", "terminating"),
    [
        (403, {"causes": [{"reason": "NamespaceTerminating"}]}, True),
        (403, {"causes": [3, {}, {"reason": "NamespaceTerminating"}]}, True),
        (409, {"causes": [{"reason": "NamespaceTerminating"}]}, False),
        (403, {"causes": [{"reason": "Other"}]}, False),
        (403, {"causes": None}, False),
        (403, {"causes": {"reason": "NamespaceTerminating"}}, False),
        (403, None, False),
    ],
)
def test_a_namespace_that_is_being_deleted(code: int, details: Any, terminating: bool) -> None:
    assert ApiError(code, {"details": details}, None).namespace_terminating is terminating


async def list_of(sizes: list[int]) -> tuple[list[int], list[str]]:
    """The limits asked for, and the names found, where the objects are of these sizes."""
    limits: list[int] = []

    async def handler(request: web.Request) -> web.Response:
        assert not is_watch(request)
        limits.append(int(request.query["limit"]))
        begin = int(request.query.get("continue", 0))
        end = begin + limits[-1]
        items = [record(str(n), text="x" * sizes[n]) for n in range(begin, min(end, len(sizes)))]
        return listing(items, token=str(end) if end < len(sizes) else "")

    async with serving(handler) as api:
        names = [obj["metadata"]["name"] async for page in api.list_pages("/x") for obj in page.items]
    return limits, names


async def test_pages_of_small_objects_grow() -> None:
    limits, names = await list_of([100] * 3000)
    assert names == [str(n) for n in range(3000)]
    assert limits == [16, 32, 64, 128, 256, *[500] * 6]


async def test_pages_of_large_objects_are_short() -> None:
    limits, names = await list_of([1 << 20] * 20)
    assert names == [str(n) for n in range(20)]
    assert max(limits[1:]) <= 2 * PAGE_BYTES >> 20


async def test_a_page_that_turns_out_too_long_is_asked_for_again() -> None:
    """Small ones first: the pages have grown when the large ones come."""
    sizes = [100] * 2000 + [1 << 19] * 30
    limits, names = await list_of(sizes)
    assert names == [str(n) for n in range(len(sizes))]
    assert 500 in limits
    assert limits[-1] < 10


def test_a_page_size_is_within_its_bounds() -> None:
    size = PageSize()
    assert size.limit == FIRST_LIMIT
    for items, length in [(0, 10), (0, 0), (16, 1), (100, 1 << 40), (1, 1 << 40), *[(500, 1)] * 20]:
        size.seen(items, length)
        assert 1 <= size.limit <= MAX_LIMIT
    assert size.limit == MAX_LIMIT
    for _ in range(10):
        size.too_long()
    assert (size.limit, size.max_bytes) == (1, None)


async def test_requests_say_who_asks() -> None:
    told: list[tuple[str, str | None, str]] = []

    async def handler(request: web.Request) -> web.Response:
        agent = request.headers["User-Agent"].partition("/")[0]
        told.append((request.method, request.query.get("fieldManager"), agent))
        return web.json_response({})

    async with serving(handler) as api:
        await every_verb(api)
    name = "podpatterns-operator"
    assert told == [
        ("GET", None, name),
        ("POST", name, name),
        ("POST", name, name),
        ("PUT", name, name),
        ("PATCH", name, name),
        ("PATCH", name, name),
        ("DELETE", None, name),
    ]


async def every_verb(api: ApiServer) -> None:
    await api.get("/x")
    await api.create("/x", {})
    await api.create_normalized("/x", {})
    await api.replace("/x", {})
    await api.json_patch("/x", [])
    await api.strategic_patch("/x", {})
    await api.delete("/x", "uid")
