"""`podpatterns run` with one part standing still, and little patience.

python stalls.py <stall> [--health URL]
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from podpatterns.cli import main
from podpatterns.controller import census, controller, shell
from podpatterns.controller.apiserver import ApiServer, Patience
from podpatterns.controller.informer import PODS
from podpatterns.controller.key import Key
from podpatterns.controller.reconciler import Reconciler

STALL = "stall"
"""A look at an object of this name is where it happens."""

reconcile = Reconciler.reconcile


def blocked_loop() -> None:
    """A look blocks the event loop."""

    async def block(self: Reconciler, key: Key) -> float | None:
        if key.name == STALL:
            time.sleep(3600)  # noqa: ASYNC251 (that is the point)
        return await reconcile(self, key)

    Reconciler.reconcile = block  # type: ignore[method-assign]


def stuck_workers() -> None:
    """Every look waits for what never comes, once one has met the object."""
    stalled = asyncio.Event()

    async def wait(self: Reconciler, key: Key) -> float | None:
        if key.name == STALL:
            stalled.set()
        if stalled.is_set():
            await asyncio.Future()
        return await reconcile(self, key)

    Reconciler.reconcile = wait  # type: ignore[method-assign]


def stuck_watch() -> None:
    """The watch of Pods waits without a limit once it has heard of a Pod of the object."""
    watch = ApiServer.watch

    async def deaf(self: ApiServer, path: str, since: int, **params: str) -> Any:
        async for event in watch(self, path, since, **params):
            yield event
            if path == PODS and event["object"]["metadata"].get("name", "").startswith(STALL):
                await asyncio.Future()

    ApiServer.watch = deaf  # type: ignore[method-assign]


def silent_kopf() -> None:
    """kopf tells nothing; the whole lists come more often."""

    def ignore(self: controller.Controller, event_type: str | None, obj: Mapping[str, Any]) -> None:
        pass

    controller.Controller.see = ignore  # type: ignore[method-assign]
    census.INTERVAL = 1.0


STALLS: dict[str, Callable[[], None]] = {
    stall.__name__: stall for stall in (blocked_loop, stuck_workers, stuck_watch, silent_kopf)
}

if __name__ == "__main__":
    controller.STALL_SECONDS = 1.0
    shell.serve = partial(shell.serve, patience=Patience(request=1, silence=2))
    STALLS[sys.argv.pop(1)]()
    main(["run", *sys.argv[1:]])
