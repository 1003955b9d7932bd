"""The manager: caches, queue and workers, tied together."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from kubernetes.aio.client import ApiClient

from podpatterns.compose import HelperImages
from podpatterns.controller.apiserver import ApiError, ApiServer, Timeouts, UnansweredError
from podpatterns.controller.configmapstore import ConfigMapStore
from podpatterns.controller.configurationpoller import Configurations
from podpatterns.controller.contractpoller import Contracts
from podpatterns.controller.exposition import Exposition
from podpatterns.controller.health import Health
from podpatterns.controller.informer import Informer
from podpatterns.controller.key import Key
from podpatterns.controller.leadership import Leadership, LeadershipLostError
from podpatterns.controller.logs import OBJECT
from podpatterns.controller.metrics import RECONCILE_DURATION, RECONCILE_ERRORS, reconciles
from podpatterns.controller.objectstore import ObjectStore
from podpatterns.controller.podmonitors import PodMonitors
from podpatterns.controller.podstore import PodStore
from podpatterns.controller.reconciler import Observability, Reconciler, Stores
from podpatterns.controller.recorder import Recorder
from podpatterns.controller.resync import Resync
from podpatterns.controller.workqueue import WorkQueue

WORKERS = 16
"""Objects reconciled at once. One object's Pods are written concurrently within its own reconcile."""
STATUS_WORKERS = 4
"""Objects whose status is written at once: more than one, since a webhook can make one slow."""
THROTTLE_FACTOR = 8
"""Pause of a status worker while urgent keys are there, as a multiple of the time that its reconcile took: a
busy API server divides itself among all requests, and people wait for Pods before they wait for status."""
LONGEST_THROTTLE = 1.0
"""Seconds of that pause."""
STALL_SECONDS = 600.0
"""Seconds after which a reconcile, whose requests all have time limits, counts as stuck."""
UNLISTED_SECONDS = 2.0
"""Seconds until the next try of an object in a namespace that could not be listed."""
STOP_SECONDS = 5.0
"""Seconds for the reconciles under way when the operator is stopped."""

log = logging.getLogger(__name__)


class Manager:
    def __init__(
        self,
        client: ApiClient,
        leader_election_namespace: str,
        identity: str,
        helpers: HelperImages,
        timeouts: Timeouts,
        namespaces: Sequence[str] = (),
    ) -> None:
        """`namespaces` are those to watch, all if there are none."""
        self._leadership = Leadership(
            ApiServer(client, timeouts), leader_election_namespace, identity, gives_way=bool(namespaces)
        )
        api = ApiServer(client, timeouts, self._leadership.check)
        self.health = Health()
        objects, pods, config_maps = ObjectStore(), PodStore(), ConfigMapStore()
        self._queue: WorkQueue[Key] = WorkQueue(attrgetter("namespace"), WORKERS, STATUS_WORKERS)
        self._resync = Resync(api, objects, self._add, self.health, namespaces)
        self._informers = [
            Informer(api, resource, store, self._add, self.health, namespace)
            for namespace in namespaces or ("",)
            for resource, store in (("pods", pods), ("configmaps", config_maps))
        ]
        self._by_namespace = {n: [i for i in self._informers if i.namespace == n] for n in namespaces}
        self.exposition = Exposition(self._queue, (objects, pods, config_maps), self._informers, self._resync)
        self._recorder = Recorder(api)
        self._configurations = Configurations(self._add)
        self._contracts = Contracts(self._add)
        self._pod_monitors = PodMonitors(api, self._add, namespaces)
        self._reconciler = Reconciler(
            api,
            Stores(objects, pods, config_maps),
            Observability(self._configurations, self._contracts, self._pod_monitors),
            self._recorder,
            self._add,
            images=helpers,
        )

    def see(self, event_type: str | None, obj: Mapping[str, Any]) -> None:
        """Take an event of our kinds from kopf's watch."""
        self._resync.see(event_type, obj)

    async def before_discovery(self) -> None:
        """Return when kopf may discover our kinds; `kinds_installed` is set for those that come later."""
        await self._resync.before_discovery()

    @property
    def kinds_installed(self) -> asyncio.Event:
        """Set when a kind has come that was missing."""
        return self._resync.installed

    @property
    def namespaces(self) -> list[str]:
        """The namespaces in which kopf may watch our kinds; none stands for all."""
        return self._resync.permitted

    async def run(self) -> None:
        """Work until cancelled; raise, as an ExceptionGroup, the error of a task that should never end."""
        try:
            async with asyncio.TaskGroup() as tasks:
                leading = tasks.create_task(self._leadership.run())
                # Where nobody else leads, what is listed from now on is as new as our election.
                await self._leadership.attempted.wait()
                tasks.create_task(self._resync.run())
                for informer in self._informers:
                    tasks.create_task(informer.run())
                tasks.create_task(self._recorder.run())
                tasks.create_task(self._configurations.run())
                tasks.create_task(self._contracts.run())
                tasks.create_task(self._pod_monitors.run())
                # A worker that starts on half a list would take the missing half for deleted.
                await self._resync.synced.wait()
                for informer in self._informers:
                    await informer.attempted.wait()
                log.info("In sync")
                await self._leadership.elected.wait()
                # A standby's caches may lack what the last leader wrote a moment ago.
                await self._resync.relist_if_older(self._leadership.elected_at)
                relists = [
                    tasks.create_task(informer.relist_if_older(self._leadership.elected_at))
                    for informer in self._informers
                ]
                if not self._by_namespace:
                    await asyncio.wait(relists)
                workers = [tasks.create_task(self._work()) for _ in range(WORKERS)]
                workers += [tasks.create_task(self._work_low_priority()) for _ in range(STATUS_WORKERS)]
                self.health.expect("reconcile", lambda: self._queue.longest - STALL_SECONDS)
                try:
                    await asyncio.Future()
                except asyncio.CancelledError:
                    if not leading.done():
                        # A write under way when a successor starts could come as a surprise to it.
                        self._queue.close()
                        await asyncio.wait(workers, timeout=STOP_SECONDS)
                    raise
        finally:
            await self._leadership.release()

    def _add(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._queue.add(key)

    def _listed(self, namespace: str) -> bool:
        """Return whether the caches have the whole namespace, as it was at our election or later.

        Where several are watched, rights that are missing in one must not keep the others waiting.
        """
        informers = self._by_namespace.get(namespace, ())
        return all(informer.listed_since(self._leadership.elected_at) for informer in informers)

    async def _work(self) -> None:
        while (key := await self._queue.get()) is not None:
            await self._reconcile(key, write_status=False)

    async def _work_low_priority(self) -> None:
        while (key := await self._queue.get_low_priority()) is not None:
            began = time.monotonic()
            await self._reconcile(key, write_status=True)
            if self._queue.urgent:
                await asyncio.sleep(min(LONGEST_THROTTLE, THROTTLE_FACTOR * (time.monotonic() - began)))

    async def _reconcile(self, key: Key, *, write_status: bool) -> None:
        if not self._listed(key.namespace):
            self._queue.add_after(key, UNLISTED_SECONDS)
            self._queue.done(key)
            return
        OBJECT.set(key)
        began, outcome, throttle = time.monotonic(), "success", 0.0
        try:
            result = await self._reconciler.reconcile(key, write_status=write_status)
        except LeadershipLostError:
            outcome = "leadership_lost"
            raise
        except (ApiError, UnansweredError) as error:
            passing = isinstance(error, ApiError) and error.passing
            outcome = "busy" if passing else "api_error"
            level = logging.DEBUG if passing else logging.WARNING
            log.log(level, "Reconcile failed", extra={"error": str(error)})
            self._queue.add_failed(key, at_least=error.retry_after)
        except Exception:
            # One object's surprise must not end the work for all others.
            outcome = "error"
            log.exception("Reconcile failed unexpectedly")
            RECONCILE_ERRORS.labels(key.kind).inc()
            self._queue.add_failed(key)
        else:
            throttle = result.throttle
            if not result.status_pending:
                # With a status left to write, it is not known yet whether all of it succeeds.
                self._queue.succeeded(key)
            if result.after is not None:
                self._queue.add_after(key, result.after) if result.after else self._queue.add(key)
            if result.status_pending:
                self._queue.add_low_priority(key)
        finally:
            self._queue.done(key, throttle)
            reconciles(key.kind, outcome).inc()
            RECONCILE_DURATION.labels(key.kind).observe(time.monotonic() - began)
            OBJECT.set(None)
