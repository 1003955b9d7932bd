"""The reasons for which not everything is as wanted; none when all is settled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from testbed.witness.owner import SpecBounds, spec_bounds
from testbed.witness.pod import Pod, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from testbed.witness.change import Object


def unsettled(owners: Iterable[Object], pods: Iterable[Object]) -> list[str]:
    """For objects that roll out by themselves: counts, names, revisions and the status that tells of them."""
    owners = list(owners)
    by_owner: dict[str, list[Pod]] = {}
    for pod in map(read, pods):
        if pod.owner_uid:
            by_owner.setdefault(pod.owner_uid, []).append(pod)
    left = []
    for owner in owners:
        mine = by_owner.pop(owner["metadata"]["uid"], [])
        reasons = _unsettled(owner, mine) if "template" in owner["spec"] else _unsettled_part(owner, owners)
        left += [f"{owner['metadata']['name']}: {reason}" for reason in reasons]
    left += [f"{pod}: its owner is gone" for mine in by_owner.values() for pod in mine]
    return left


def _unobserved(owner: Object) -> Iterator[str]:
    status, meta = owner.get("status", {}), owner["metadata"]
    if "deletionTimestamp" in meta:
        yield "is being deleted"
    elif status.get("observedGeneration") != meta["generation"]:
        yield f"observedGeneration is {status.get('observedGeneration')}, not {meta['generation']}"


def _unsettled_part(part: Object, owners: Iterable[Object]) -> Iterator[str]:
    """A part's status names those that include it, and counts those that it has reached as it is now."""
    yield from _unobserved(part)
    status = part.get("status", {})
    name = {"kind": part["kind"], "name": part["metadata"]["name"]}
    including = [owner for owner in owners if name in owner["spec"].get("include", ())]
    users = [{"kind": owner["kind"], "name": owner["metadata"]["name"]} for owner in including]
    used_by = status.get("usedBy", [])
    if sorted(map(str, used_by)) != sorted(map(str, users)):
        yield f"usedBy is {used_by}, not {users}"
    version = {**name, "generation": part["metadata"]["generation"]}
    reached = sum(_complete(owner) and version in owner["status"].get("parts", ()) for owner in including)
    told = status.get("users", 0), status.get("updatedUsers", 0)
    if told != (len(users), reached):
        yield f"users and updatedUsers are {told}, not {(len(users), reached)}"


def _complete(owner: Object) -> bool:
    """The rollout of the newest revision is complete."""
    status = owner.get("status", {})
    return "updateRevision" in status and status["updateRevision"] == status.get("currentRevision")


def _unsettled_work(wanted: SpecBounds, status: Object, pods: list[Pod]) -> Iterator[str]:
    """Work is complete or has failed, and no Pod runs any more. Pods that have ended may be deleted."""
    yield from (str(pod) for pod in pods if pod.live or pod.terminating or not pod.kept)
    if len(pods) > wanted.replicas or not all(wanted.fits(pod.name) for pod in pods):
        yield f"at most {wanted.replicas} Pods wanted, there are {sorted(pod.name for pod in pods)}"
    true = {c["type"] for c in status.get("conditions", ()) if c["status"] == "True"}
    if "Failed" in true:
        return
    if wanted.replicas and not ("Complete" in true and status.get("succeeded") == wanted.replicas):
        yield f"status says {sorted(true)} and {status.get('succeeded')} of {wanted.replicas} succeeded"
    outdated = {pod.revision for pod in pods} - {status.get("work", {}).get("revision")}
    if outdated:
        yield f"Pods of {outdated} are there, the work is that of {status.get('work')}"


def _unsettled(owner: Object, pods: list[Pod]) -> Iterator[str]:
    wanted, status, meta = spec_bounds(owner), owner.get("status", {}), owner["metadata"]
    yield from _unobserved(owner)
    if "deletionTimestamp" in meta:
        return
    if wanted.ends:
        yield from _unsettled_work(wanted, status, pods)
        return
    names = sorted(pod.name for pod in pods)
    if len(pods) != wanted.replicas or not all(wanted.fits(name) for name in names):
        yield f"{wanted.replicas} Pods wanted, there are {names}"
    yield from (str(pod) for pod in pods if not (pod.live and pod.ready and pod.kept))
    revisions = {f"{meta['name']}-{pod.revision}" for pod in pods}
    if not revisions <= {status.get("updateRevision")}:
        yield f"updateRevision is {status.get('updateRevision')}, there are {revisions}"
    counts = ("replicas", "readyReplicas", "availableReplicas", "updatedReplicas", "terminatingReplicas")
    expected = dict.fromkeys(counts, wanted.replicas) | {"terminatingReplicas": 0}
    told = {name: status.get(name) for name in counts}
    if told != expected:
        yield f"status says {told}"
