"""`podpatterns run`, but with a part that stands still, or of another version; and with short timeouts.

python variants.py <variant> [--health-probe-bind-address HOST:PORT]
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from podpatterns.api import FieldError, InvalidObject, Pattern, parse
from podpatterns.cli import main
from podpatterns.compose import pod_manifest
from podpatterns.controller import compositions, executor, manager, process, reconciler, resync, transition
from podpatterns.controller.apiserver import ApiServer, Timeouts
from podpatterns.controller.key import Key
from podpatterns.controller.leadership import LEASE_SECONDS, RETRY_SECONDS
from podpatterns.controller.reconciler import Reconciler, Result

reconcile = reconciler.Reconciler.reconcile


def blocked_loop() -> None:
    """A reconcile of an object called `blocked-loop` blocks the event loop."""

    async def block(self: Reconciler, key: Key, *, write_status: bool) -> Result:
        if key.name == "blocked-loop":
            time.sleep(3600)  # noqa: ASYNC251 (that is the point)
        return await reconcile(self, key, write_status=write_status)

    Reconciler.reconcile = block  # type: ignore[method-assign]


def stuck_reconcile() -> None:
    """A reconcile of an object called `stuck-reconcile` waits for what never comes."""

    async def wait(self: Reconciler, key: Key, *, write_status: bool) -> Result:
        if key.name == "stuck-reconcile":
            await asyncio.Future()
        return await reconcile(self, key, write_status=write_status)

    Reconciler.reconcile = wait  # type: ignore[method-assign]


def stuck_watch() -> None:
    """The watch of Pods waits without a limit once it has heard of the Pod `stuck-watch-0`."""
    watch = ApiServer.watch

    async def deaf(self: ApiServer, path: str, since: int, **params: str) -> Any:
        async for event in watch(self, path, since, **params):
            yield event
            if path == "/api/v1/pods" and event["object"]["metadata"].get("name") == "stuck-watch-0":
                await asyncio.Future()

    ApiServer.watch = deaf  # type: ignore[method-assign]


def silent_kopf() -> None:
    """kopf tells nothing; the whole lists come more often."""

    def ignore(self: manager.Manager, event_type: str | None, obj: Mapping[str, Any]) -> None:
        pass

    manager.Manager.see = ignore  # type: ignore[method-assign]
    resync.INTERVAL = 1.0


def frozen_look() -> None:
    """The process stands still between the plan and the writes for an object called `frozen`, once."""
    carry_out = executor.Executor.carry_out
    frozen: set[str] = set()

    async def freeze(self: executor.Executor, plan: Any, entry: Any, transition: Any) -> executor.Outcome:
        if entry.key.name == "frozen" and not frozen:
            frozen.add(entry.uid)
            time.sleep(LEASE_SECONDS + RETRY_SECONDS + 5)  # noqa: ASYNC251 (that is the point)
        return await carry_out(self, plan, entry, transition)

    executor.Executor.carry_out = freeze  # type: ignore[method-assign]


def next_version() -> None:
    """Makes Pods a little differently."""

    def differently(*arguments: Any) -> dict[str, Any]:
        pod = pod_manifest(*arguments)
        pod["metadata"].setdefault("annotations", {})["test.example/version"] = "next"
        pod["spec"]["enableServiceLinks"] = False
        return pod

    transition.pod_manifest = differently  # type: ignore[attr-defined, assignment]


def last_version() -> None:
    """Doesn't know spec.sharedMemory."""

    def read(obj: Mapping[str, Any]) -> Pattern:
        if "sharedMemory" in obj["spec"]:
            raise InvalidObject([FieldError("spec.sharedMemory", "unknown field")])
        return parse(obj)

    compositions.parse = read  # type: ignore[attr-defined, assignment]


VARIANTS: dict[str, Callable[[], None]] = {
    variant.__name__: variant
    for variant in (
        blocked_loop,
        stuck_reconcile,
        stuck_watch,
        silent_kopf,
        frozen_look,
        next_version,
        last_version,
    )
}

if __name__ == "__main__":
    manager.STALL_SECONDS = 1.0
    process.serve = partial(process.serve, timeouts=Timeouts(request=1, silence=2))
    VARIANTS[sys.argv.pop(1)]()
    main(["run", *sys.argv[1:]])
