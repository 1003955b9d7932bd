"""The decision about an object's PodMonitor: create, adopt, update or delete it, or leave it alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from podpatterns.api import GROUP
from podpatterns.compose.labels import HASH, KIND, NAME

HASH_LENGTH = 64
"""Characters of a hash; a longer one is not the operator's."""


@dataclass(frozen=True, slots=True)
class Monitored:
    """The object that a PodMonitor is for, and the hash of its content."""

    kind: str
    name: str
    uid: str
    hash: str
    """Hash of the content to write; empty if there is to be no PodMonitor."""


@dataclass(frozen=True, slots=True)
class PodMonitor:
    """The slim record of an observed PodMonitor."""

    uid: str
    kind: str
    """Kind of the object that it is for, by its labels."""
    name: str
    hash: str
    controller: str
    """UID of its controller; empty without one."""
    controlled_by: tuple[str, str]
    """Kind and name of its controller, if that is one of ours."""
    terminating: bool

    def is_orphan_for(self, wanted: Monitored) -> bool:
        """The operator made it for an object of that name, which is gone.

        A controller of the same kind and name with another UID is gone: names are unique.
        """
        ours = (wanted.kind, wanted.name)
        made = self.hash and (self.kind, self.name) == ours
        return bool(made and (not self.controller or self.controlled_by == ours))


class Action(Enum):
    CREATE = auto()
    UPDATE = auto()
    ADOPT = auto()
    """Make the object its controller, and update it."""
    DELETE = auto()
    LEAVE_ALONE = auto()
    """The PodMonitor belongs to somebody else."""


def observe_pod_monitor(obj: Mapping[str, Any]) -> PodMonitor:
    """Return the record of a PodMonitor as the API server sent it."""
    meta = obj["metadata"]
    labels = meta.get("labels") or {}
    hash_ = (meta.get("annotations") or {}).get(HASH, "")
    owner: Mapping[str, Any] = next((o for o in meta.get("ownerReferences") or () if o.get("controller")), {})
    ours = owner.get("apiVersion", "").startswith(f"{GROUP}/")
    return PodMonitor(
        uid=meta["uid"],
        kind=labels.get(KIND, ""),
        name=labels.get(NAME, ""),
        hash=hash_ if len(hash_) <= HASH_LENGTH else "",
        controller=owner.get("uid", ""),
        controlled_by=(owner["kind"], owner["name"]) if ours else ("", ""),
        terminating="deletionTimestamp" in meta,
    )


def decide(wanted: Monitored, found: PodMonitor | None) -> Action | None:
    """Return the action that brings `found` to the desired state; None if there is none to take."""
    if found is None:
        return Action.CREATE if wanted.hash else None
    own = found.controller == wanted.uid
    if not own and not found.is_orphan_for(wanted):
        return Action.LEAVE_ALONE if wanted.hash else None
    if found.terminating:
        return None
    if not wanted.hash:
        return Action.DELETE if own or not found.controller else None
    if not own:
        return Action.ADOPT
    labelled = (found.kind, found.name) == (wanted.kind, wanted.name)
    return None if labelled and found.hash == wanted.hash else Action.UPDATE
