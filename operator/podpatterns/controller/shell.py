"""The kopf shell: settings, login, start and stop, probes, and the handlers of our kinds.

The handlers only pass on what they see. kopf neither retries a failed `on.event` handler nor tells all
deletions, and its other handlers write annotations and finalizers; so the controller does the work itself.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any
from uuid import uuid4

import kopf
from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration

from podpatterns.api import GROUP, KINDS, VERSION
from podpatterns.compose import HelperImages
from podpatterns.controller.apiserver import PAGE_SIZE, Patience
from podpatterns.controller.controller import Controller
from podpatterns.controller.health import probes

END_SECONDS = 5.0
"""For kopf to end after the work has, and the Lease was given back."""

log = logging.getLogger(__name__)


class NoDiffBase(kopf.DiffBaseStorage):
    """Remembers nothing of an object: no annotation, no deep copy. Differences are the planner's business."""

    def build(self, *, body: kopf.Body, extra_fields: Any = None) -> kopf.BodyEssence:  # noqa: ARG002
        return {}

    def fetch(self, *, body: kopf.Body) -> None:  # noqa: ARG002
        return None

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: Any) -> None:
        pass


async def serve(
    lease_namespace: str,
    health: str | None,
    helpers: HelperImages,
    patience: Patience = Patience(),  # noqa: B008 (immutable)
) -> None:
    """Run the operator until it is told to stop (SIGTERM, SIGINT); raises what broke it.

    `health` is the URL at which probes are answered, if any.
    """
    client = ApiClient(await _configuration())
    controller = Controller(client, lease_namespace, _identity(), helpers, patience)
    stop = asyncio.Event()
    work = asyncio.create_task(controller.run())
    work.add_done_callback(lambda _: stop.set())
    registry = _registry(controller, patience, work)

    @kopf.on.cleanup(registry=registry)
    async def end(**_: Any) -> None:
        # kopf would let a task that it did not start go on for 5 s, then break off the Lease's release.
        work.cancel()
        await asyncio.wait([work])
        asyncio.get_running_loop().call_later(END_SECONDS, _end_at_once)

    try:
        # kopf's own endpoint says that all is well for as long as it answers at all.
        async with probes(controller.health, health) if health else nullcontext():
            await kopf.operator(registry=registry, standalone=True, clusterwide=True, stop_flag=stop)
    finally:
        if not work.done():
            work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        await client.close()
    if not work.cancelled() and (error := work.exception()):
        raise error


def _end_at_once() -> None:
    """kopf (1.45.2) can wait for ever for a new login of its own once it has given up its login task.

    Nothing is left to be done, and a process that neither works nor ends would never be started again.
    """
    log.critical("kopf does not end, ending without it")
    os._exit(1)


def _registry(controller: Controller, patience: Patience, work: asyncio.Task[None]) -> kopf.OperatorRegistry:
    registry = kopf.OperatorRegistry()

    @kopf.on.startup(registry=registry)
    async def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
        settings.persistence.diffbase_storage = NoDiffBase()
        # A worker of kopf's holds its object's last state for so long, which at the start it does for all
        # objects at once: with its own 5 s, 4,000 objects left 249 MiB behind instead of 175.
        settings.queueing.idle_timeout = 0.3
        settings.posting.enabled = False
        settings.scanning.disabled = True
        settings.watching.chunk_size = PAGE_SIZE
        settings.watching.inactivity_timeout = patience.silence
        settings.networking.request_timeout = patience.request  # 5 minutes by default
        # A restarted API server answers 403 and 429 for seconds; kopf would stay away for longer and longer.
        settings.networking.error_backoffs = [0.2, 0.5, *[1.0] * 60]
        # kopf looks for our kinds once, when this returns, and would go without those that it doesn't find.
        known = asyncio.create_task(controller.knows_kinds())
        await asyncio.wait([known, work], return_when=asyncio.FIRST_COMPLETED)
        known.cancel()

    @kopf.on.login(registry=registry)
    async def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
        return kopf.login_with_service_account(**kwargs) or kopf.login_with_kubeconfig(**kwargs)

    async def see(event: Mapping[str, Any], **_: Any) -> None:
        controller.see(event["type"], event["object"])

    for kind in KINDS:
        kopf.on.event(GROUP, VERSION, kind.plural, registry=registry)(see)
    return registry


async def _configuration() -> Configuration:
    configuration = Configuration()
    if "KUBERNETES_SERVICE_HOST" in os.environ and "KUBECONFIG" not in os.environ:
        config.load_incluster_config(client_configuration=configuration)
    else:
        await config.load_kube_config(client_configuration=configuration)
    # aiohttp would look for proxies and passwords in environment and ~/.netrc at every request, in threads.
    configuration.client_session_kwargs = {"trust_env": False}
    configuration.retries = 0  # what to try again, and when, is decided where the request is understood
    return configuration


def _identity() -> str:
    """Who holds the Lease. A restarted container of the same Pod is the same holder and need not wait."""
    return os.environ.get("POD_NAME") or f"{socket.gethostname()}-{uuid4().hex[:8]}"
