"""The operator's process: its start and stop, its probes, its login and its identity.

kopf watches our kinds (kopfwatch.py), the manager does the work; the work goes on when kopf gives up.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration

from podpatterns.compose import HelperImages
from podpatterns.controller.apiserver import Timeouts
from podpatterns.controller.health import probes
from podpatterns.controller.kopfwatch import END_SECONDS, stop_on_signals, watch_kinds
from podpatterns.controller.manager import Manager
from podpatterns.controller.webserver import metrics, serving

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BindAddresses:
    """Addresses (HOST:PORT) at which the operator serves; it serves nothing where there is none."""

    health_probe: str | None = None
    metrics: str | None = None


async def serve(
    leader_election_namespace: str,
    addresses: BindAddresses,
    helpers: HelperImages,
    timeouts: Timeouts = Timeouts(),  # noqa: B008 (immutable)
    namespaces: Sequence[str] = (),
) -> None:
    """Run the operator until it is told to stop (SIGTERM, SIGINT); raises what broke it.

    It watches the namespaces, all if none is named.
    """
    stop = asyncio.Event()
    stop_on_signals(stop)
    client = ApiClient(await _configuration())
    manager = Manager(client, leader_election_namespace, _identity(), helpers, timeouts, namespaces)
    work = asyncio.create_task(manager.run())
    watching = asyncio.create_task(watch_kinds(manager, timeouts, stop))
    for task in (work, watching):
        task.add_done_callback(lambda _: stop.set())
    try:
        # kopf's own endpoint reports success as long as it answers at all.
        async with (
            serving("--health-probe-bind-address", addresses.health_probe, probes(manager.health)),
            serving("--metrics-bind-address", addresses.metrics, metrics(manager.exposition.text)),
        ):
            await stop.wait()
    finally:
        stop.set()
        work.cancel()
        await asyncio.wait([work])
        asyncio.get_running_loop().call_later(END_SECONDS, _end_at_once)
        await asyncio.wait([watching])
        await client.close()
    for task in (work, watching):
        if not task.cancelled() and (error := task.exception()):
            raise error


def _end_at_once() -> None:
    """kopf (1.45.2) can wait for ever for a new login of its own once it has given up its login task.

    Nothing is left to be done, and a process that neither works nor ends would never be started again.
    """
    log.critical("kopf does not stop: exiting without it")
    os._exit(1)


async def _configuration() -> Configuration:
    configuration = Configuration()
    if "KUBERNETES_SERVICE_HOST" in os.environ and "KUBECONFIG" not in os.environ:
        config.load_incluster_config(client_configuration=configuration)
    else:
        await config.load_kube_config(client_configuration=configuration)
    # aiohttp would look for proxies and passwords in environment and ~/.netrc at every request, in threads.
    configuration.client_session_kwargs = {"trust_env": False}
    # What to try again, and when, is decided where the request is understood. 0 would mean to try what the
    # server answers with 5xx for ever, in the client (37.0.2), at pauses of up to two minutes.
    configuration.retries = None
    return configuration


def _identity() -> str:
    """Return the name of the Lease's holder.

    A restarted container of the same Pod is the same holder and need not wait.
    """
    return os.environ.get("POD_NAME") or f"{socket.gethostname()}-{uuid4().hex[:8]}"
