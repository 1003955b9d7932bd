"""The rules about what is there, judged change by change.

They are written so that a correct operator, which is always late, can't break them, whatever other people do
at the same time; with two exceptions, which the tests don't have: somebody who gives Pods a controller
reference or takes back the removal of its labels just while the operator makes up for that Pod.

- A Pod is created only where it fits: not beyond replicas + maxSurge, and under a name that the spec allows,
  by the newest generation or an older one with which the operator has not yet caught up (`Owner`).
- Work that ends is over when the operator has said so, completely or failed, and the spec is still that one:
  no Pod of that revision is created.
- A Pod's controller is the object that its labels name, by a UID that was seen under that name; and no Pod is
  made for a UID after the operator has shown that it knows the next one.
- A Pod passes from one owner to another only by being an orphan in between.
- The operator takes down no Pod that it knows to be healthy where fewer than replicas - maxUnavailable would
  be left, counting in those that others took down since all were healthy. A new spec for a running Pod takes
  it down until its node has taken note; nobody but the operator writes one. Work that has failed is ended.
- Nothing that an object or a cluster does is an error of the operator's own (reason InternalError).
- A PersistentVolumeClaim that the retention policy keeps gets no owner with which it would be deleted.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING

from testbed.witness.owner import GROUP, Key, Owner
from testbed.witness.pod import Pod, read
from testbed.witness.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from testbed.witness.change import Change

TRACE_LENGTH = 30
"""Changes told with a violation."""

LIMIT = "Never more live Pods than replicas + maxSurge"
NAME = "A Pod has a name that its owner's spec allows"
OVER = "No Pod is created for work that is complete or has failed"
CONTROLLER = "A Pod's controller is the object that its labels name, with that object's UID"
SUCCESSOR = "No Pod for a UID whose successor the operator knows"
PASSED_ON = "A Pod passes to another owner only as an orphan"
RETAINED = "A claim that is to be retained gets no owner"
ERROR = "The operator meets nothing that it did not foresee"
AVAILABLE = "An update leaves at least replicas - maxUnavailable Pods available"


class Invariants:
    """`taken_down` has the UIDs of Pods that the operator took down, and nobody else before it."""

    def __init__(self, taken_down: Collection[str] = ()) -> None:
        self._taken_down = taken_down
        self._known_healthy: set[str] = set()
        """UIDs of Pods of which the operator has said that they are healthy."""
        self._lost: Counter[str] = Counter()
        """By owner, the Pods that others took down since the operator last said that all are healthy."""
        self._owners: dict[str, Owner] = {}
        self._current: dict[Key, Owner] = {}
        self._pods: dict[str, Pod] = {}
        self._claim_owners: dict[str, set[str]] = {}
        """UIDs of a claim's owners, by its own."""
        self._trace: deque[str] = deque(maxlen=TRACE_LENGTH)

    def observe(self, change: Change) -> list[Violation]:
        """The rules that this change broke. Changes come in the order of their resourceVersions."""
        if change.object["kind"] == "Pod":
            return list(self._observe_pod(change))
        if change.object["kind"] == "PersistentVolumeClaim":
            return list(self._observe_claim(change))
        return list(self._observe_owner(change))

    def _observe_owner(self, change: Change) -> Iterator[Violation]:
        meta = change.object["metadata"]
        key = Key(change.object["kind"], meta["namespace"], meta["name"])
        owner = self._owners.setdefault(meta["uid"], Owner(key, meta["uid"]))
        self._current[key] = owner
        owner.learn(change.object)
        pods = [p for p in self._pods.values() if p.owner_uid == owner.uid and p.live and p.kept]
        if pods and owner.ready == len(pods) and all(p.healthy for p in pods):
            self._known_healthy |= {p.uid for p in pods}
            self._lost[owner.uid] = 0
        told = f"generation {meta['generation']}, observed {owner.observed}, limit {owner.limit}"
        self._tell(change, f"{key} {owner.uid[:8]}: {told}")
        conditions = change.object.get("status", {}).get("conditions", ())
        if errors := {c["message"] for c in conditions if c["reason"] == "InternalError"}:
            yield Violation(ERROR, str(key), "; ".join(sorted(errors)), tuple(self._trace))

    def _observe_claim(self, change: Change) -> Iterator[Violation]:
        meta = change.object["metadata"]
        owners = {owner["uid"] for owner in meta.get("ownerReferences", ())}
        new = owners - self._claim_owners.get(meta["uid"], set())
        self._claim_owners[meta["uid"]] = owners
        labels = meta.get("labels", {})
        kind, name = (labels.get(f"{GROUP}/{label}", "") for label in ("kind", "name"))
        self._tell(change, f"PersistentVolumeClaim {meta['name']} of {sorted(owners)}")
        owner = self._current.get(Key(kind, meta["namespace"], name))
        if owner and owner.retains and change.type in ("ADDED", "MODIFIED"):
            ours = new & {owner.uid, *(p.uid for p in self._pods.values() if p.owner_uid == owner.uid)}
            if ours:
                yield Violation(RETAINED, f"claim {meta['name']}", f"owned by {ours}", tuple(self._trace))

    def _observe_pod(self, change: Change) -> Iterator[Violation]:
        pod = read(change.object)
        before = self._pods.get(pod.uid)
        gone = change.type in ("DELETED", "UNLISTED")
        if gone:
            self._pods.pop(pod.uid, None)
        else:
            self._pods[pod.uid] = pod
        self._tell(change, str(pod))
        if change.type == "ADDED" and pod.owner_uid is not None:
            yield from self._judge_creation(pod, pod.owner_uid)
        elif before and before.owner_uid and pod.owner_uid not in (before.owner_uid, None):
            yield self._violation(PASSED_ON, pod, f"was controlled by {before.owner_uid}")
        if change.type in ("LISTED", "UNLISTED"):
            self._known_healthy.clear()  # what happened in between, and in which order, nobody saw
        elif before and before.healthy and (gone or not pod.healthy):
            deleted = gone or pod.terminating
            # A deletion raises the generation too. One that is orphaned or fails may be deleted much later.
            by_operator = pod.uid in self._taken_down if deleted else pod.generation > before.generation
            yield from self._judge_loss(before, by_operator=by_operator)

    def _judge_creation(self, pod: Pod, owner_uid: str) -> Iterator[Violation]:
        if not pod.kept:
            yield self._violation(CONTROLLER, pod, f"its labels name {pod.labelled}, not {pod.controller}")
            return
        owner = self._owners.get(owner_uid)
        if owner is None or owner.key != pod.controller:
            yield self._violation(CONTROLLER, pod, f"{pod.controller} never had the UID {owner_uid}")
            return
        current = self._current[owner.key]
        if current is not owner and current.observed:
            yield self._violation(SUCCESSOR, pod, f"the operator knows {owner.key} as {current.uid}")
        if not owner.fits(pod.name):
            yield self._violation(NAME, pod, f"generations the operator may know: {owner.bounds}")
        if owner.over and owner.over == pod.revision:
            yield self._violation(OVER, pod, f"the work of {owner.key} at {owner.over} is over")
        live = sum(p.live and p.kept for p in self._pods.values() if p.owner_uid == owner_uid)
        if live > owner.limit:
            yield self._violation(LIMIT, pod, f"live Pods of {owner.key}: {live}, limit {owner.limit}")

    def _judge_loss(self, pod: Pod, *, by_operator: bool) -> Iterator[Violation]:
        assert pod.owner_uid
        known, owner = pod.uid in self._known_healthy, self._owners.get(pod.owner_uid)
        self._known_healthy.discard(pod.uid)
        if not by_operator:
            self._lost[pod.owner_uid] += 1
        elif known and owner and not owner.failed:
            left = sum(p.healthy for p in self._pods.values() if p.owner_uid == owner.uid)
            lost = self._lost[owner.uid]
            if left + lost < owner.least:
                detail = f"{left} Pods of {owner.key} are healthy, {lost} lost to others, least {owner.least}"
                yield self._violation(AVAILABLE, pod, detail)

    def _tell(self, change: Change, text: str) -> None:
        self._trace.append(f"{change.version} {change.type} {text}")

    def _violation(self, rule: str, pod: Pod, detail: str) -> Violation:
        return Violation(rule, str(pod), detail, tuple(self._trace))
