"""A restart with many objects: how soon all is kept again, and what is written."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.podwatch import pod_watch
from bench.rampup import object_name
from testbed.cluster.progress import step
from testbed.usage import idle

if TYPE_CHECKING:
    from bench.subject import Subject
    from bench.testbed import Testbed

ROBBED = 20
"""Objects that lose a Pod while nobody keeps them: when the last has it back, all have been reconciled."""


@dataclass(frozen=True)
class Restart:
    seconds: float
    """From the start of the process until every robbed object has its Pod again."""
    writes: int
    """Objects, Pods and Events of all other objects that were written or made, of which there was no need."""


async def restart(testbed: Testbed, subject: Subject, namespace: str, objects: int) -> Restart:
    """Restarts the process that keeps the `objects` of one Pod each in `namespace`."""
    step_size = max(1, objects // ROBBED)
    robbed = {object_name(index) for index in range(step_size - 1, objects, step_size)}
    paths = [
        subject.collection(namespace),
        f"/api/v1/namespaces/{namespace}/pods",
        f"/api/v1/namespaces/{namespace}/events",
    ]
    pods = paths[1]
    with step(f"{subject.kind}: restart with {objects} objects"):
        testbed.stop(subject.side)
        before = [await testbed.api.versions(path) for path in paths]
        async with pod_watch(testbed.api, namespace) as watch:
            victims = [name for name in before[1] if _owner(name) in robbed]
            for victim in victims:
                await testbed.api.delete(f"{pods}/{victim}")
            gone: set[str] = set()
            while len(gone) < len(victims):
                gone.add((await watch.next(lambda a: a.type == "DELETED")).uid)
            started = time.monotonic()
            testbed.launch(subject.side)
            back: dict[str, float] = {}
            while len(back) < len(victims):
                arrival = await watch.next(lambda a: a.type == "ADDED")
                back[arrival.owner] = arrival.at
        await idle(testbed.pid(subject.side))
        after = [await testbed.api.versions(path) for path in paths]
    writes = sum(
        1
        for now, then in zip(after, before, strict=True)
        for name, version in now.items()
        if _owner(name) not in robbed and then.get(name) != version
    )
    return Restart(max(back.values()) - started, writes)


def _owner(name: str) -> str:
    """The object that a Pod or an Event belongs to, by its name."""
    return name[: len(object_name(0))]
