"""What to do about an object's PodMonitor: the decision, from what is wanted and what is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from podpatterns.api import GROUP
from podpatterns.compose.labels import HASH, KIND, NAME

HASH_LENGTH = 64
"""A longer one is not the operator's."""


@dataclass(frozen=True, slots=True)
class Monitored:
    """The object that a PodMonitor is for, and what it should say."""

    kind: str
    name: str
    uid: str
    hash: str
    """Of what is to be written; empty when there is to be none."""


@dataclass(frozen=True, slots=True)
class PodMonitor:
    """The slim record of an observed PodMonitor."""

    uid: str
    kind: str
    """Of the object that it is for, by its labels; and its name."""
    name: str
    hash: str
    controller: str
    """UID of the object that controls it; empty when none does."""
    controlled_by: tuple[str, str]
    """That object's kind and name, when it is one of ours."""
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
    """It is somebody else's."""


def observe_pod_monitor(obj: Mapping[str, Any]) -> PodMonitor:
    """The record of a PodMonitor as the API server sent it."""
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
    """What makes `found` what is wanted; None when nothing does, or it is so."""
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
