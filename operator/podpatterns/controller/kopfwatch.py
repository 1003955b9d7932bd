"""kopf's watch of our kinds: settings, login and the handlers, which only pass events on.

kopf neither retries a failed `on.event` handler nor reports all deletions, and its other handlers write
annotations and finalizers; so the manager does the work itself.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Collection, Coroutine, Iterator, Mapping
from pathlib import Path
from typing import Any

import kopf

from podpatterns.api import GROUP, KINDS, VERSION
from podpatterns.controller.apiserver import USER_AGENT, Timeouts
from podpatterns.controller.manager import Manager

END_SECONDS = 5.0
"""Seconds for kopf to end when it is asked to."""
KOPF_PAUSE = (1.0, 30.0)
"""The first and the longest pause in seconds after kopf gave up."""
CHUNK_SIZE = 50
"""Objects in a page of kopf's lists, which doesn't adapt to their size as ours do: fifty of the largest that
the API server accepts are 75 MB. 100 are listed as fast as 500, 25 take twice as long."""

KOPF = Path(kopf.__file__).parent

log = logging.getLogger(__name__)


async def watch_kinds(manager: Manager, timeouts: Timeouts, stop: asyncio.Event) -> None:
    """Let kopf watch our kinds until `stop`.

    kopf discovers them once, and gives up on answers that an API server can give: 404 when one of the
    CustomResourceDefinitions is deleted. It is then started again, and also when a kind is installed that
    was missing. The work needs only its events, and goes on meanwhile.
    """
    pause = KOPF_PAUSE[0]
    while True:
        await _first(manager.before_discovery(), stop.wait())
        if stop.is_set():
            return
        began = time.monotonic()
        error = await _run_kopf(manager, timeouts, stop)
        if error is None:
            continue
        if time.monotonic() - began > KOPF_PAUSE[1]:
            pause = KOPF_PAUSE[0]
        log.warning("kopf stopped: restarting it", extra={"error": repr(error), "pause": pause})
        await _first(asyncio.sleep(pause), stop.wait())
        pause = min(KOPF_PAUSE[1], 2 * pause)


async def _run_kopf(manager: Manager, timeouts: Timeouts, stop: asyncio.Event) -> BaseException | None:
    """Run kopf until `stop` or until a kind was installed; return the error that ended it before."""
    over = asyncio.Event()
    tasks = await kopf.spawn_tasks(
        registry=_registry(manager, timeouts),
        standalone=True,
        clusterwide=not manager.namespaces,
        namespaces=manager.namespaces,
        stop_flag=over,
    )
    stop_on_signals(stop)  # kopf would take them for itself
    run = asyncio.create_task(kopf.run_tasks(tasks, ignored=_ALL_TASKS))
    await _first(
        asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED),
        stop.wait(),
        manager.kinds_installed.wait(),
    )
    asked = stop.is_set() or manager.kinds_installed.is_set()
    over.set()
    await asyncio.wait([run], timeout=END_SECONDS)
    for task in filter(_is_kopfs, asyncio.all_tasks()):
        task.cancel()
    if not run.done():
        log.error("kopf does not stop: continuing without it")
        return None
    error = run.exception()
    return None if asked else error or RuntimeError("ended")


async def _first(*coroutines: Coroutine[Any, Any, Any]) -> None:
    """Return when the first of them does; the others are cancelled."""
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
    for task in done:
        task.result()


def stop_on_signals(stop: asyncio.Event) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)


def _is_kopfs(task: asyncio.Task[Any]) -> bool:
    """Return whether the task is kopf's: when kopf gives up, its other watches go on waiting for a login."""
    code = getattr(task.get_coro(), "cr_code", None)
    return code is not None and Path(code.co_filename).is_relative_to(KOPF)


class _AllTasks(Collection["asyncio.Task[Any]"]):
    """Tasks that kopf must not take for its own and end: it would end all that were begun since it was."""

    def __contains__(self, task: object) -> bool:
        return True

    def __iter__(self) -> Iterator[asyncio.Task[Any]]:
        return iter(())

    def __len__(self) -> int:
        return 0


_ALL_TASKS = _AllTasks()


def _registry(manager: Manager, timeouts: Timeouts) -> kopf.OperatorRegistry:
    registry = kopf.OperatorRegistry()

    @kopf.on.startup(registry=registry)
    async def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
        settings.process.ultimate_exiting_timeout = None  # it would kill us some minutes after it gave up
        settings.persistence.diffbase_storage = NoDiffBase()
        # A worker of kopf's holds its object's last state for so long, which at the start it does for all
        # objects at once: with its own 5 s, 4,000 objects left 249 MiB behind instead of 175.
        settings.queueing.idle_timeout = 0.3
        settings.posting.enabled = False
        settings.scanning.disabled = True
        settings.watching.chunk_size = CHUNK_SIZE
        settings.watching.inactivity_timeout = timeouts.silence
        settings.networking.request_timeout = timeouts.request  # 5 minutes by default
        # A restarted API server answers 403 and 429 for seconds; kopf would stay away for longer and longer.
        settings.networking.error_backoffs = [0.2, 0.5, *[1.0] * 60]

    @kopf.on.login(registry=registry)
    async def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
        found = kopf.login_with_service_account(**kwargs) or kopf.login_with_kubeconfig(**kwargs)
        return Connection(**vars(found)) if found else None

    async def see(event: Mapping[str, Any], **_: Any) -> None:
        manager.see(event["type"], event["object"])

    for kind in KINDS:
        kopf.on.event(GROUP, VERSION, kind.plural, registry=registry)(see)
    return registry


class NoDiffBase(kopf.DiffBaseStorage):
    """Remembers nothing of an object: no annotation, no deep copy. Differences are the planner's business."""

    def build(self, *, body: kopf.Body, extra_fields: Any = None) -> kopf.BodyEssence:  # noqa: ARG002
        return {}

    def fetch(self, *, body: kopf.Body) -> None:  # noqa: ARG002
        return None

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: Any) -> None:
        pass


class Connection(kopf.ConnectionInfo):
    """kopf's connection under the operator's name."""

    def as_http_headers(self) -> dict[str, str]:
        return {**super().as_http_headers(), "User-Agent": USER_AGENT}
