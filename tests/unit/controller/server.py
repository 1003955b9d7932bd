"""An HTTP server in the place of the API server, for answers that a real one gives once in a year."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import trustme
from aiohttp import web
from kubernetes.aio.client import ApiClient, Configuration

from podpatterns.controller.apiserver import ApiServer, Timeouts

AUTHORITY = trustme.CA().cert_pem.bytes().decode()

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[ApiServer]:
    """Inside, every request gets what `handler` answers."""
    application = web.Application(client_max_size=1 << 24)
    application.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    configuration = Configuration(host=f"http://127.0.0.1:{runner.addresses[0][1]}")
    configuration.ca_cert_data = AUTHORITY  # else the client reads all that the machine trusts
    client = ApiClient(configuration)
    try:
        yield ApiServer(client, Timeouts(request=10, silence=10))
    finally:
        await client.close()
        await runner.cleanup()


def is_watch(request: web.Request) -> bool:
    return request.query.get("watch") == "true"


def listing(items: Sequence[Any], version: int = 10, token: str = "") -> web.Response:
    """A page of a list."""
    return web.json_response(
        {"metadata": {"resourceVersion": str(version), "continue": token}, "items": items}
    )


async def stream(request: web.Request, *lines: bytes) -> web.StreamResponse:
    """A watch that ends after these lines."""
    response = web.StreamResponse()
    await response.prepare(request)
    for line in lines:
        await response.write(line + b"\n")
    return response


def event(kind: str, obj: Any) -> bytes:
    return json.dumps({"type": kind, "object": obj}).encode()


def record(name: str, version: int = 1, **fields: Any) -> dict[str, Any]:
    """An object with no more than every object has."""
    meta = {"namespace": "ns", "name": name, "uid": f"uid-{name}", "resourceVersion": str(version)}
    return {"metadata": meta, **fields}


def refusal(code: int, **status: Any) -> web.Response:
    return web.json_response({"kind": "Status", "code": code, **status}, status=code)
