"""`podpatterns run` with one thing broken: what the witness must catch.

    python mutants.py <mutant>

Some mistakes show only where the cluster is unkind, so each runs in surroundings that are: a correct operator
stands them, which `none` shows.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from podpatterns.cli import main
from podpatterns.compose import pod
from podpatterns.controller import executor, podstore, statuswriter
from podpatterns.controller.apiserver import ApiServer, UnansweredError
from podpatterns.controller.key import Key
from podpatterns.controller.objectstate import ObjectState
from podpatterns.controller.podstore import PodStore
from podpatterns.replicas import Plan, Pod, Wanted, observe
from podpatterns.replicas.work import Work

WATCH_DELAY = 0.3
"""Seconds by which the Pod watch is late."""


def late_watch() -> None:
    """Every event comes late, as under load."""
    watch = ApiServer.watch

    async def late(self: ApiServer, path: str, since: int, **params: str) -> Any:
        async for event in watch(self, path, since, **params):
            await asyncio.sleep(WATCH_DELAY)
            yield event

    ApiServer.watch = late  # type: ignore[method-assign]


def lost_answers() -> None:
    """Of each object the first answer to the creation of a Pod is lost on its way back."""
    create = ApiServer.create
    lost: set[str] = set()

    async def lossy(self: ApiServer, path: str, body: Any) -> dict[str, Any]:
        answer = await create(self, path, body)
        if path.endswith("/pods") and (owner := body["metadata"]["ownerReferences"][0]["uid"]) not in lost:
            lost.add(owner)
            raise UnansweredError("lost")
        return answer

    ApiServer.create = lossy  # type: ignore[method-assign]


def forgets_unanswered() -> None:
    """A creation without an answer is tried again under another name."""
    ObjectState.note_unanswered = lambda *_: None  # type: ignore[method-assign]


def ignores_answers() -> None:
    """Only the watch is believed, and what was created is forgotten."""
    forgets_unanswered()
    begin = executor.Executor.__init__

    class Deaf(PodStore):
        def put(self, obj: Mapping[str, Any]) -> set[Key]:  # noqa: ARG002
            return set()

    executor.Executor.__init__ = (  # type: ignore[method-assign]
        lambda self, api, store: begin(self, api, Deaf())  # noqa: ARG005
    )


def deletes_by_name() -> None:
    """Deletes whatever has the name by now."""

    async def delete(self: ApiServer, path: str, uid: str) -> dict[str, Any]:
        return await self._json("DELETE", path, body={})

    ApiServer.delete = delete  # type: ignore[method-assign]


def deletes_by_force() -> None:
    """Does not wait for the kubelet."""

    async def delete(self: ApiServer, path: str, uid: str) -> dict[str, Any]:
        body = {"preconditions": {"uid": uid}, "gracePeriodSeconds": 0}
        return await self._json("DELETE", path, body=body)

    ApiServer.delete = delete  # type: ignore[method-assign]


def creates_first() -> None:
    """Creates before it deletes."""
    carry_out = executor.Executor.carry_out

    async def hasty(self: executor.Executor, plan: Plan, entry: Any, transition: Any) -> executor.Outcome:
        first = await carry_out(self, Plan(creates=plan.creates), entry, transition)
        then = await carry_out(self, replace(plan, creates=()), entry, transition)
        return replace(then, created=first.created, failure=first.failure or then.failure)

    executor.Executor.carry_out = hasty  # type: ignore[method-assign]


def writes_at_every_look() -> None:
    """Writes a status that has not changed."""

    class Unequal(dict[str, Any]):
        def __eq__(self, _: object) -> bool:
            return False

        def __ne__(self, _: object) -> bool:
            return True

        __hash__ = None

    tell = statuswriter.app_status  # type: ignore[attr-defined]
    statuswriter.app_status = lambda *seen: Unequal(tell(*seen))  # type: ignore[attr-defined]


def invents_uids() -> None:
    """Refers to an owner that never was."""
    refer = pod.owner_reference  # type: ignore[attr-defined]
    unheard_of = {"uid": "00000000-0000-0000-0000-000000000000"}
    pod.owner_reference = lambda app: {**refer(app), **unheard_of}  # type: ignore[attr-defined]


def plans_one_too_many() -> None:
    """Counts wrong."""

    of = Wanted.of

    def generous(app: Any, revision: str) -> Wanted:
        return replace(of(app, revision), replicas=app.spec.replicas + 1)

    Wanted.of = generous  # type: ignore[method-assign]


def takes_all_down() -> None:
    """Knows no maxUnavailable."""

    of = Wanted.of

    def hasty(app: Any, revision: str) -> Wanted:
        return replace(of(app, revision), max_unavailable=app.spec.replicas)

    Wanted.of = hasty  # type: ignore[method-assign]


def believes_every_ready_pod() -> None:
    """Takes a Pod's word that it is ready while a container of it is about to be replaced."""

    def trusting(obj: Mapping[str, Any]) -> Pod:
        return replace(observe(obj), restarting=False, settling=False)

    podstore.observe = trusting  # type: ignore[attr-defined] # it is imported there


def forgets_finished_work() -> None:
    """Goes by the Pods that are there, and not by what the status has recorded."""
    Work.recorded = classmethod(lambda cls, _status, revision, **_: cls(revision))  # type: ignore[method-assign, assignment]


def none() -> None:
    """Nothing is broken."""


MUTANTS = (
    none,
    forgets_unanswered,
    ignores_answers,
    deletes_by_name,
    deletes_by_force,
    creates_first,
    writes_at_every_look,
    invents_uids,
    plans_one_too_many,
    takes_all_down,
    believes_every_ready_pod,
    forgets_finished_work,
)

if __name__ == "__main__":
    late_watch()
    lost_answers()
    {mutant.__name__: mutant for mutant in MUTANTS}[sys.argv.pop(1)]()
    main(["run"])
