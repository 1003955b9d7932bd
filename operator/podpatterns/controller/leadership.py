"""Leadership: of several running operators just one writes, the holder of a Lease.

The others keep their caches warm and take over when the Lease runs out, or at once when it was given back.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import Any

import aiohttp
from kubernetes.aio.client import ApiClient, ApiException
from kubernetes.aio.leaderelection.electionconfig import Config
from kubernetes.aio.leaderelection.leaderelection import LeaderElection
from kubernetes.aio.leaderelection.resourcelock.leaselock import LeaseLock

LEASE = "podpatterns-operator"
LEASE_SECONDS, RENEW_SECONDS, RETRY_SECONDS = 10.0, 7.0, 2.0
"""A successor waits LEASE_SECONDS after a crash. A holder without an answer gives up after RENEW_SECONDS and
one last attempt, so that it has stopped before anybody else starts."""

log = logging.getLogger(__name__)


class LeadershipLostError(Exception):
    """The Lease could not be renewed in time: stop writing at once."""


class _Lock(LeaseLock):  # type: ignore[misc] # the client has no types
    """The client's LeaseLock, with every request bounded and an unreachable server as a failed attempt."""

    async def get(self, name: str, namespace: str) -> tuple[bool, Any]:
        try:
            async with asyncio.timeout(RETRY_SECONDS):
                found, record = await super().get(name, namespace)
                return found, record
        except (aiohttp.ClientError, TimeoutError) as error:
            return False, ApiException(status=0, reason=repr(error))

    async def create(self, name: str, namespace: str, election_record: Any) -> bool:
        try:
            async with asyncio.timeout(RETRY_SECONDS):
                return bool(await super().create(name, namespace, election_record))
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def update(self, name: str, namespace: str, updated_record: Any) -> bool:
        try:
            async with asyncio.timeout(RETRY_SECONDS):
                return bool(await super().update(name, namespace, updated_record))
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def release(self) -> None:
        """Give the Lease back, if it is ours, so that a successor need not wait until it runs out."""
        found, record = await self.get(self.name, self.namespace)
        if not found or record.holder_identity != self.identity:
            return
        lease = self.lease_reference
        lease.spec.holder_identity = None
        lease.spec.renew_time = datetime.now(UTC)
        try:
            async with asyncio.timeout(RETRY_SECONDS):
                await self.api_instance.replace_namespaced_lease(self.name, self.namespace, lease)
        except (ApiException, aiohttp.ClientError, TimeoutError) as error:
            log.warning("Lease not given back", extra={"error": repr(error)})


class Leadership:
    def __init__(self, client: ApiClient, namespace: str, identity: str) -> None:
        self._lock = _Lock(LEASE, namespace, identity, client)
        self.elected = asyncio.Event()

    async def run(self) -> None:
        """Acquire the Lease and renew it; raises LeadershipLostError when that fails."""
        config = Config(
            self._lock,
            LEASE_SECONDS,
            RENEW_SECONDS,
            RETRY_SECONDS,
            onstarted_leading=self._lead,
            onstopped_leading=_stop,
        )
        await LeaderElection(config).run()
        raise LeadershipLostError("the Lease was not renewed in time")

    async def release(self) -> None:
        await self._lock.release()

    async def _lead(self) -> None:
        log.info("Leading", extra={"identity": self._lock.identity})
        self.elected.set()


async def _stop() -> None:
    log.error("Leadership lost")
