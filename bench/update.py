"""A new image for one helper of all Pods: how long it takes, and what becomes of the applications."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.rampup import object_name, ramped_up
from testbed.cluster.progress import step
from testbed.eventually import eventually

if TYPE_CHECKING:
    from bench.subject import Subject
    from bench.testbed import Testbed

APPLICATION, HELPER = "web", "helper"
NEW = "helper:2"
TIMEOUT = 300
"""Seconds."""


@dataclass(frozen=True)
class Updated:
    seconds: float
    """From the change until every Pod is Ready with the new image, as one sees who polls every tenth of that
    time again."""
    restarted: float
    """Applications that are not those from before: their Pods were replaced."""


async def update(testbed: Testbed, subject: Subject, pods: int) -> Updated:
    """Changes the image of one helper of an object of `pods` Pods."""
    async with ramped_up(testbed, subject, 1, pods) as run:
        path = f"/api/v1/namespaces/{run.namespace}/pods"

        async def pods_now() -> list[dict[str, Any]]:
            return await testbed.api.items(path)

        before = {_application(pod) for pod in await pods_now()}
        spec = subject.manifest(object_name(0), pods, NEW)["spec"]
        with step(f"{subject}: a new image for one helper of {pods} Pods"):
            started = time.monotonic()
            await testbed.api.patch(f"{subject.collection(run.namespace)}/{object_name(0)}", {"spec": spec})
            found = await eventually(
                pods_now, TIMEOUT, until=lambda found: len(found) == pods and all(map(_updated, found))
            )
            seconds = time.monotonic() - started
        return Updated(seconds, float(len({_application(pod) for pod in found} - before)))


def _application(pod: dict[str, Any]) -> tuple[str, str]:
    """Which process it is: its Pod's UID and its container's ID."""
    return pod["metadata"]["uid"], _ids(pod).get(APPLICATION, "")


def _updated(pod: dict[str, Any]) -> bool:
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", ()))
    leaving = "deletionTimestamp" in pod["metadata"]
    return ready and not leaving and _ids(pod).get(HELPER, "").endswith(NEW)


def _ids(pod: dict[str, Any]) -> dict[str, str]:
    return {c["name"]: c.get("containerID", "") for c in pod["status"].get("containerStatuses", ())}
