"""The operator's HTTP servers: one for probes, one for metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(flag: str, address: str | None, routes: Mapping[str, Handler]) -> AsyncIterator[None]:
    """Serve `routes` at `address` (HOST:PORT), which `flag` gave; nothing without an address."""
    if address is None:
        yield
        return
    where = _parsed(flag, address)
    application = web.Application()
    for path, handler in routes.items():
        application.router.add_get(path, handler)
    runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, *where).start()
        yield
    finally:
        await runner.cleanup()


def metrics(text: Callable[[], Awaitable[bytes]]) -> Mapping[str, Handler]:
    """Return the route of the metrics, for Prometheus."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=await text(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return {"/metrics": answer}


def _parsed(flag: str, address: str) -> tuple[str | None, int]:
    """Return host and port; no host stands for every address of the machine."""
    with suppress(ValueError):
        parts = urlsplit(f"//{address}")
        if parts.port is not None and parts.netloc == address:
            return parts.hostname, parts.port
    raise ValueError(f"{flag}: {address} is not of the form HOST:PORT, such as :8080")
