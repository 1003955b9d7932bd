"""Health of the parts of the controller that must never hang.

Each part reports that it lives, and within how many seconds it will report again. A part that is overdue
has a fault of its own: all waits for an absent API server have time limits. A blocked event loop doesn't
answer at all, and the probe fails, too.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from urllib.parse import urlsplit

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest


class Health:
    def __init__(self) -> None:
        self._overdue: dict[str, Callable[[], float]] = {}
        self._notes: dict[str, str] = {}

    def expect(self, part: str, overdue: Callable[[], float]) -> None:
        """Register a part; `overdue` returns the seconds by which it is late, up to 0 while it is healthy."""
        self._overdue[part] = overdue

    def beat(self, part: str, within: float) -> None:
        """Report that `part` lives, and reports again within so many seconds."""
        due = time.monotonic() + within
        self.expect(part, lambda: time.monotonic() - due)

    def note(self, part: str, text: str) -> None:
        """Show a text about `part` that fails no probe; an empty one removes it."""
        self._notes[part] = text

    @property
    def notes(self) -> list[str]:
        return [text for text in self._notes.values() if text]

    def stuck(self) -> list[str]:
        """Return the parts that are overdue, with the seconds."""
        late = {part: overdue() for part, overdue in self._overdue.items()}
        return [f"{part}: overdue by {seconds:.0f} s" for part, seconds in late.items() if seconds > 0]


@asynccontextmanager
async def probes(health: Health, address: str) -> AsyncIterator[None]:
    """Serve /healthz, /readyz and /metrics at `address` (HOST:PORT).

    Probes get 200, or 503 and the parts that are overdue.
    """
    where = _parsed(address)

    async def answer(_: web.Request) -> web.Response:
        stuck = health.stuck()
        status = HTTPStatus.SERVICE_UNAVAILABLE if stuck else HTTPStatus.OK
        return web.Response(status=status, text="\n".join([*(stuck or ["ok"]), *health.notes]) + "\n")

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    application = web.Application()
    application.router.add_get("/healthz", answer)
    application.router.add_get("/readyz", answer)
    application.router.add_get("/metrics", metrics)
    runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, *where).start()
        yield
    finally:
        await runner.cleanup()


def _parsed(address: str) -> tuple[str | None, int]:
    """Return host and port; no host stands for every address of the machine."""
    with suppress(ValueError):
        parts = urlsplit(f"//{address}")
        if parts.port is not None and parts.netloc == address:
            return parts.hostname, parts.port
    raise ValueError(f"--health-probe-bind-address: {address} is not of the form HOST:PORT, such as :8080")
