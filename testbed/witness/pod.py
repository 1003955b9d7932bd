"""A Pod, as far as the rules are about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from testbed.witness.owner import GROUP, Key

if TYPE_CHECKING:
    from testbed.witness.change import Object


@dataclass(frozen=True, slots=True)
class Pod:
    name: str
    uid: str
    phase: str
    terminating: bool
    ready: bool
    generation: int
    """Counts the changes of its spec."""
    carried_out: bool
    """Its node has taken note of the newest spec. Until then it may say Ready of a container about to go."""
    revision: str
    labelled: Key | None
    """The object that its labels name."""
    controller: Key | None
    """The object of ours that its controller reference names."""
    owner_uid: str | None
    """The UID in that reference."""

    @property
    def live(self) -> bool:
        return not self.terminating and self.phase not in ("Failed", "Succeeded")

    @property
    def healthy(self) -> bool:
        """Counts as available, or has done its work."""
        done = self.phase == "Succeeded" and not self.terminating
        return self.kept and (done or (self.live and self.ready and self.carried_out))

    @property
    def kept(self) -> bool:
        """Counts among its owner's Pods; one whose labels were taken away is about to be released."""
        return self.controller is not None and self.controller == self.labelled

    def __str__(self) -> str:
        state = "terminating" if self.terminating else self.phase
        return f"Pod {self.name} {self.uid[:8]} of {(self.owner_uid or 'nobody')[:8]}: {state}"


def read(obj: Object) -> Pod:
    meta, status = obj["metadata"], obj.get("status", {})
    labels = meta.get("labels", {})
    namespace = meta["namespace"]
    labelled = (
        Key(labels[f"{GROUP}/kind"], namespace, labels[f"{GROUP}/name"])
        if {f"{GROUP}/kind", f"{GROUP}/name"} <= labels.keys()
        else None
    )
    controller = next((o for o in meta.get("ownerReferences", ()) if o.get("controller")), None)
    ours = controller is not None and controller["apiVersion"].startswith(f"{GROUP}/")
    return Pod(
        name=meta["name"],
        uid=meta["uid"],
        phase=status.get("phase", "Pending"),
        terminating="deletionTimestamp" in meta,
        ready=any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", ())),
        generation=meta.get("generation", 0),
        carried_out=status.get("observedGeneration", 0) >= meta.get("generation", 0),
        revision=labels.get(f"{GROUP}/revision", ""),
        labelled=labelled,
        controller=Key(controller["kind"], namespace, controller["name"]) if controller and ours else None,
        owner_uid=controller["uid"] if controller and ours else None,
    )
