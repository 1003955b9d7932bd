"""Health of the parts of the controller that must never hang.

Each part reports that it lives, and within how many seconds it will report again. A part that is overdue
has a fault of its own: all waits for an absent API server have time limits. A blocked event loop doesn't
answer at all, and the probe fails, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from http import HTTPStatus

from aiohttp import web

from podpatterns.controller.webserver import Handler


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


def probes(health: Health) -> Mapping[str, Handler]:
    """Return the routes of the probes, which get 200, or 503 and the parts that are overdue."""

    async def answer(_: web.Request) -> web.Response:
        stuck = health.stuck()
        status = HTTPStatus.SERVICE_UNAVAILABLE if stuck else HTTPStatus.OK
        return web.Response(status=status, text="\n".join([*(stuck or ["ok"]), *health.notes]) + "\n")

    return {"/healthz": answer, "/readyz": answer}
