"""Leader election: of several running operators just one writes, the holder of a Lease.

The others keep their caches warm and take over when the Lease runs out, or at once when it was given back.
An operator that watches some namespaces has a Lease of its own, and gives way to one that watches all of them
(docs/adr/0023).
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from kubernetes.aio.client import ApiException
from kubernetes.aio.leaderelection.electionconfig import Config
from kubernetes.aio.leaderelection.leaderelection import LeaderElection
from kubernetes.aio.leaderelection.leaderelectionrecord import LeaderElectionRecord
from kubernetes.aio.leaderelection.resourcelock.baselock import BaseLock

from podpatterns.controller.apiserver import ApiError, ApiServer, UnansweredError
from podpatterns.controller.metrics import LEADER

LEASE = "podpatterns-operator"
CLUSTER_NAMESPACE = "kube-system"
"""Namespace of the Lease of the operator that watches all namespaces."""
LEASE_SECONDS, RENEW_SECONDS, RETRY_SECONDS = 12, 8, 1
REQUEST_SECONDS = 3.5
"""A successor waits LEASE_SECONDS after a crash, and up to RETRY_SECONDS more. A holder without an answer
gives up after RENEW_SECONDS and one last request, so that it has stopped before anybody else starts."""
ABSENT_SECONDS = 5.0
"""Seconds until the next read of a Lease that is not there or not ours to read: audit logs tell of each."""
FENCE_SECONDS = 1.0
"""Seconds in which a write reaches the API server: none begins so shortly before the Lease runs out."""

log = logging.getLogger(__name__)


class LeadershipLostError(Exception):
    """Somebody else leads, or may lead by now: stop writing at once."""

    def __init__(self, why: str = "the Lease was not renewed in time") -> None:
        super().__init__(f"leadership lost: {why}")


def _path(namespace: str) -> str:
    return f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"


class ClusterLease:
    """The Lease of the operator that watches all namespaces, for one that watches some of them."""

    def __init__(self, api: ApiServer) -> None:
        self._api = api
        self._spec: Mapping[str, Any] = {}
        self._renewed = -math.inf
        """Time at which it was seen to be another one than before, in monotonic seconds."""
        self._absent_until = -math.inf

    async def held(self) -> Mapping[str, Any]:
        """Return its spec while somebody holds it; nothing if nobody does, or we are not to know."""
        if time.monotonic() < self._absent_until:
            return {}
        try:
            spec = (await self._api.get(f"{_path(CLUSTER_NAMESPACE)}/{LEASE}")).get("spec") or {}
        except ApiError as error:
            if not (error.not_found or error.forbidden):
                raise
            spec = {}
            self._absent_until = time.monotonic() + ABSENT_SECONDS
        if spec != self._spec:
            self._spec, self._renewed = spec, time.monotonic()
        alive = spec.get("holderIdentity") and time.monotonic() - self._renewed < LEASE_SECONDS
        return spec if alive else {}


class LeaseLock(BaseLock):  # type: ignore[misc] # the client has no types
    """The Lease as the client's election wants it.

    The client's own LeaseLock (37.0.2) fails to create one (`pretty=True` is refused by its API class), lets
    connection errors end the election and waits minutes for a request.
    """

    def __init__(
        self, api: ApiServer, namespace: str, identity: str, above: ClusterLease | None = None
    ) -> None:
        super().__init__(LEASE, namespace, identity)
        self._api = api
        self._leases = _path(namespace)
        self._above = above
        """The Lease whose holder comes first."""
        self._lease: dict[str, Any] = {}
        self.held_since = -math.inf
        """Start of the last write of the Lease, in monotonic seconds; -inf while it is not ours."""
        self.won_at = math.inf
        """Time of the answer that made the Lease ours, in monotonic seconds."""
        self._gave_way = False
        self.settled = asyncio.Event()
        """Set once the Lease was ours or somebody else's."""

    async def get(self, name: str, namespace: str) -> tuple[bool, Any]:  # noqa: ARG002
        """Read the Lease. Raises LeadershipLostError when it was ours and is somebody else's."""
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                above = await self._above.held() if self._above else {}
                if not above:
                    self._lease = await self._api.get(f"{self._leases}/{name}")
        except ApiError as error:
            refusal = ApiException(status=error.code, reason=error.message)
            refusal.body = f'{{"code": {error.code}}}'
            return False, refusal
        except (UnansweredError, TimeoutError) as error:
            return False, ApiException(status=0, reason=repr(error))
        spec = above or self._lease.get("spec") or {}
        if (holder := spec.get("holderIdentity")) and holder != self.identity:
            self.settled.set()
            gave_way, self._gave_way = self._gave_way, bool(above)
            if self.held_since > -math.inf:
                self.held_since = -math.inf
                what = "leads in all namespaces" if above else "holds the Lease"
                raise LeadershipLostError(f"{holder} {what}")
            if above and not gave_way:
                log.warning("An operator for all namespaces leads: giving way", extra={"holder": holder})
        return True, LeaderElectionRecord(
            spec.get("holderIdentity") or None,  # given back
            spec.get("leaseDurationSeconds"),
            spec.get("acquireTime"),
            spec.get("renewTime"),
        )

    async def create(self, name: str, namespace: str, election_record: Any) -> bool:  # noqa: ARG002
        lease = {"metadata": {"name": name}, "spec": _spec(election_record, acquired=_now())}
        return await self._write(self._api.create(self._leases, lease))

    async def update(self, name: str, namespace: str, updated_record: Any) -> bool:  # noqa: ARG002
        before = self._lease.get("spec") or {}
        kept = before.get("acquireTime") if before.get("holderIdentity") == self.identity else None
        lease = {**self._lease, "spec": _spec(updated_record, acquired=kept or _now())}
        return await self._write(self._api.replace(f"{self._leases}/{name}", lease))

    async def release(self) -> None:
        """Give the Lease back, if it is ours, so that a successor need not wait until it runs out."""
        with suppress(LeadershipLostError):
            found, record = await self.get(self.name, self.namespace)
            if not found or record.holder_identity != self.identity:
                return
            spec = {**self._lease["spec"], "holderIdentity": None, "renewTime": _now()}
            await self._write(self._api.replace(f"{self._leases}/{self.name}", {**self._lease, "spec": spec}))
        self.held_since = -math.inf

    async def _write(self, request: Any) -> bool:
        asked = time.monotonic()
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                self._lease = await request
        except (ApiError, UnansweredError, TimeoutError) as error:
            if isinstance(error, ApiError) and error.code == HTTPStatus.CONFLICT:
                # Somebody else wrote it, perhaps as its new holder.
                await self.get(self.name, self.namespace)
            else:
                log.warning("Lease update failed", extra={"error": repr(error)})
            return False
        if self.held_since == -math.inf:
            self.won_at = time.monotonic()
        self.held_since = asked
        self.settled.set()
        return True


class Leadership:
    def __init__(self, api: ApiServer, namespace: str, identity: str, *, gives_way: bool = False) -> None:
        """`gives_way` to the operator that watches all namespaces, if there is one."""
        above = ClusterLease(api) if gives_way and namespace != CLUSTER_NAMESPACE else None
        self._lock = LeaseLock(api, namespace, identity, above)
        self.elected = asyncio.Event()
        self.attempted = self._lock.settled
        """Set once we were elected, or saw that somebody else leads."""

    @property
    def elected_at(self) -> float:
        """Time of our election, in monotonic seconds: the last leader has begun its last write by then."""
        return self._lock.won_at

    async def run(self) -> None:
        """Acquire the Lease and renew it; raises LeadershipLostError when that fails."""
        config = Config(
            self._lock,
            LEASE_SECONDS,
            RENEW_SECONDS,
            RETRY_SECONDS,
            onstarted_leading=self._lead,
            onstopped_leading=None,
        )
        try:
            await LeaderElection(config).run()
        finally:
            LEADER.set(0)
        raise LeadershipLostError

    async def release(self) -> None:
        await self._lock.release()

    def check(self) -> None:
        """Raise LeadershipLostError once somebody else may lead.

        A process that stood still learns it from the clock, before its renewal notices.
        """
        if time.monotonic() - self._lock.held_since > LEASE_SECONDS - FENCE_SECONDS:
            raise LeadershipLostError

    async def _lead(self) -> None:
        log.info("Leading", extra={"identity": self._lock.identity})
        LEADER.set(1)
        self.elected.set()


def _spec(record: Any, acquired: str) -> dict[str, Any]:
    return {
        "holderIdentity": record.holder_identity,
        "leaseDurationSeconds": int(record.lease_duration),
        "acquireTime": acquired,
        "renewTime": _now(),
    }


def _now() -> str:
    """Return the present time as a metav1.MicroTime."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
