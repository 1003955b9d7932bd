"""Decisions on PersistentVolumeClaims: to create one, to wait for one, to change one that is there.

A claim is found by its name, whoever made it. Only one with the operator's labels and no other controller is
the operator's to change; nothing here ever deletes one: that is the garbage collector's, by owner references,
where the retention policy asks for it (as StatefulSet does it, KEP-1847).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubernetes.utils.quantity import parse_quantity

from podpatterns.api import Pattern
from podpatterns.api.conditions import ConditionType, Reason
from podpatterns.api.text import MESSAGE_LENGTH, listed
from podpatterns.compose.labels import selector
from podpatterns.compose.owner import owner_reference
from podpatterns.replicas.condition import Condition
from podpatterns.replicas.failure import Failure
from podpatterns.replicas.reading import mapping, mappings, text

SHOWN = 5
"""Claims named in a message."""

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """A claim that is not as its template asks."""

    pod: str
    refused: Failure | None = None
    """The refusal of a change."""
    differs: tuple[str, ...] = ()
    """The fields in which it differs for good."""

    def __bool__(self) -> bool:
        return bool(self.refused or self.differs)


@dataclass(frozen=True, slots=True)
class Findings:
    """Claims that are not as they should be, by name."""

    found: Mapping[str, Finding] = field(default_factory=dict)
    pending: bool = False
    """True if some are still to be compared."""


def terminating(claim: Object, app: Pattern, pod: str) -> Failure | None:
    """Return the failure of a Pod that can't be created yet, since its claim is going to be deleted.

    One that belongs to an earlier Pod of that name, or to an earlier object, goes with it.
    """
    meta = mapping(claim.get("metadata"))
    if "deletionTimestamp" in meta:
        why = "is being deleted"
        if finalizers := meta.get("finalizers"):
            why += f" (finalizer {', '.join(map(text, finalizers))})"
    elif _is_own(claim, app, pod) and _former_owners(claim, app, pod, ""):
        why = "belongs to an earlier Pod or object of this name, and is deleted with it"
    else:
        return None
    message = f"PersistentVolumeClaim {text(meta.get('name'))} {why}: Pod {pod} is created after that"
    return Failure(Reason.CLAIM_TERMINATING, message)


def ownership_patch(claim: Object, app: Pattern, pod: str, uid: str) -> dict[str, Any] | None:
    """Return the patch that sets the owners of the claim of a replica, by the retention policy; None where
    they are right, or not the operator's to set. `uid` is that of the Pod, if there is one."""
    wanted = [owner_reference(app)] if app.spec.retention.when_deleted == "Delete" else []
    return _owned_by(claim, app, (pod, uid), wanted)


def condemned_patch(claim: Object, app: Pattern, pod: str, uid: str) -> dict[str, Any] | None:
    """Return the patch by which the claim is deleted with its Pod, which is about to be scaled down."""
    owner = {"apiVersion": "v1", "kind": "Pod", "name": pod, "uid": uid, "controller": True}
    return _owned_by(claim, app, (pod, uid), [owner])


def enlargement(claim: Object, wanted: Object, app: Pattern, pod: str) -> dict[str, Any] | None:
    """Return the patch that gives a claim of the operator's the size of its template; None if it has it."""
    asked, there = _storage(wanted), _storage(claim)
    if not _is_own(claim, app, pod) or _compared(asked, there) <= 0:
        return None
    return {"spec": {"resources": {"requests": {"storage": asked}}}}


def differences(claim: Object, wanted: Object, app: Pattern, pod: str) -> tuple[str, ...]:
    """Return the fields of a claim of the operator's that differ from its template and stay so."""
    return tuple(_differences(claim, wanted)) if _is_own(claim, app, pod) else ()


def claims_current(app: Pattern, findings: Findings | None, told: Condition | None) -> Iterator[Condition]:
    """Yield the condition VolumeClaimsCurrent; `told` is that of the previous status, if any.

    Without findings, as of an object that is held, nobody has compared the claims with this generation.
    """
    kind = ConditionType.VOLUME_CLAIMS_CURRENT
    if not app.spec.volume_claim_templates:
        return
    found = findings.found if findings else {}
    refused = {name: f.refused for name, f in sorted(found.items()) if f.refused}
    differing = [f"{name} ({', '.join(f.differs)})" for name, f in sorted(found.items()) if f.differs]
    if refused:
        first = next(iter(refused.values()))
        others = f"; refused for {len(refused) - 1} more" if len(refused) > 1 else ""
        yield Condition(kind, False, Reason.CLAIM_REFUSED, first.message + others)
    elif differing:
        message = f"the templates are for claims to come; these differ: {_listed(differing)}"
        yield Condition(kind, False, Reason.CLAIMS_DIFFER, message)
    elif findings is None or findings.pending:
        if told and told.status is False:
            yield told
        else:
            yield Condition(kind, None, Reason.PENDING, "the claims have not been compared yet")
    else:
        yield Condition(kind, True, Reason.CLAIMS_CURRENT, "every claim is as its template asks")


def _listed(names: Sequence[str]) -> str:
    return listed(names, SHOWN, MESSAGE_LENGTH // 2)


def _is_own(claim: Object, app: Pattern, pod: str) -> bool:
    meta = mapping(claim.get("metadata"))
    labelled = selector(app.kind, app.metadata.name).items() <= mapping(meta.get("labels")).items()
    others = [o for o in _owners(claim) if o.get("controller") and not _is_ours(o, app, pod)]
    return labelled and not others


def _owners(claim: Object) -> list[Object]:
    return mappings(mapping(claim.get("metadata")).get("ownerReferences"))


def _is_ours(owner: Object, app: Pattern, pod: str) -> bool:
    """Return whether it names the object, or the Pod; the UID may be another's."""
    kind_and_name = (owner.get("kind"), owner.get("name"))
    return kind_and_name in ((app.kind, app.metadata.name), ("Pod", pod))


def _former_owners(claim: Object, app: Pattern, pod: str, uid: str) -> bool:
    present = {app.metadata.uid, uid}
    return any(_is_ours(o, app, pod) and o.get("uid") not in present for o in _owners(claim))


def _owned_by(
    claim: Object, app: Pattern, pod: tuple[str, str], wanted: Sequence[Mapping[str, Any]]
) -> dict[str, Any] | None:
    name, uid = pod
    meta = mapping(claim.get("metadata"))
    going = "deletionTimestamp" in meta or _former_owners(claim, app, name, uid)
    if going or not _is_own(claim, app, name):
        return None
    uids = {owner["uid"] for owner in wanted}
    there = {text(o.get("uid")): o for o in _owners(claim) if _is_ours(o, app, name)}
    gone = [{"$patch": "delete", "uid": other} for other in there if other not in uids]
    new = [owner for owner in wanted if not there.get(owner["uid"], {}).get("controller")]
    return {"metadata": {"ownerReferences": [*gone, *new]}} if gone or new else None


def _storage(claim: Object) -> object:
    return mapping(mapping(mapping(claim.get("spec")).get("resources")).get("requests")).get("storage")


def _compared(one: object, other: object) -> int:
    """Return 1 if the first quantity is larger, -1 if it is smaller, else 0; also for what is no quantity."""
    try:
        first, second = parse_quantity(one), parse_quantity(other)
    except (ValueError, ArithmeticError, TypeError):
        return 0
    return 1 if first > second else -1 if first < second else 0


def _differences(claim: Object, wanted: Object) -> Iterator[str]:
    there, asked = mapping(claim.get("spec")), mapping(wanted.get("spec"))
    for name, value in asked.items():
        # A size in another notation is no difference, and a larger one is asked for by a patch.
        if name != "resources" and there.get(name) != value:
            yield f"spec.{name}"
    if _compared(_storage(wanted), _storage(claim)) < 0:
        yield "spec.resources.requests.storage"
    for name in ("labels", "annotations"):
        has, wants = (mapping(mapping(of.get("metadata")).get(name)) for of in (claim, wanted))
        if not wants.items() <= has.items():
            yield f"metadata.{name}"
