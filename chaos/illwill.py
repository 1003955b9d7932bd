"""The steps of people who wish the operator ill, or only wrote something odd."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chaos.plan import LARGEST
from testbed import hostile
from testbed.witness import Violation
from testbed.witness.requests import describe

if TYPE_CHECKING:
    from chaos.api import Api
    from testbed.witness.audit_log import AuditLog

FORGED = "No Pod is made from a revision that the operator didn't write"


class IllWill:
    def __init__(self, api: Api) -> None:
        self._api = api

    def take(self, do: str, site: str = "", number: int = 0) -> None:
        match do:
            case "make stranger":
                owner = site if number % 2 else "nobody"
                self._api.create(hostile.stranger(f"stranger-{number}", owner=owner))
            case "take name":
                self._api.create(_foreign(f"{site}-{number % LARGEST}"))
            case "forge revision":
                self._forge(site, number)
            case "forbid history":
                self._api.create(hostile.quota())
            case "allow history":
                self._api.delete("ResourceQuota", hostile.quota()["metadata"]["name"])

    def _forge(self, site: str, number: int) -> None:
        """A copy of a revision of the site that would make other Pods, if there is one yet."""
        revisions = [
            revision
            for revision in self._api.objects("ControllerRevision")
            if revision["metadata"]["labels"].get("podpatterns.dev/name") == site
        ]
        if revisions:
            revision = revisions[number % len(revisions)]
            name = f"{site}-forged-{number}"
            self._api.create(hostile.impostor(revision, name, controlled=bool(number % 2)))


def forged(writes: AuditLog) -> list[Violation]:
    """Return a violation for each forged revision that the operator ran."""
    return [
        Violation(FORGED, describe(entry), "")
        for entry in writes.entries()
        if entry["objectRef"]["resource"] == "pods" and hostile.EVIL_IMAGE in str(entry.get("requestObject"))
    ]


def _foreign(name: str) -> dict[str, Any]:
    """A Pod of somebody who likes the name."""
    containers = [{"name": "foreign", "image": "foreign"}]
    spec = {"containers": containers, "terminationGracePeriodSeconds": 1}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
