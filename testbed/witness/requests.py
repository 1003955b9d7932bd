"""The rules about what the operator asks the API server for, judged from entries of the audit log."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from testbed.witness.owner import GROUP
from testbed.witness.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from testbed.witness.change import Object

FORCE = "Never a force delete"
PRECONDITION = "A delete names the UID that it is for"
COLLECTION = "Pods are deleted one by one"
REFERENCE = "A Pod is created with exactly one controller reference, to the object that its labels name"
CLAIM = "The operator deletes no PersistentVolumeClaim"
IDLE = "No write while idle"


def judge(entry: Object) -> list[Violation]:
    """The rules that a write of the operator broke by being asked for, whatever became of it."""
    resource = entry["objectRef"]["resource"]
    if resource == "persistentvolumeclaims" and entry["verb"].startswith("delete"):
        return [_violation(CLAIM, entry, "")]
    # Of what the server refuses early (the user may not, it is busy or only starting) it reads nothing.
    if resource != "pods" or not (_succeeded(entry) or "requestObject" in entry):
        return []
    if entry["verb"] == "deletecollection":
        return [_violation(COLLECTION, entry, "")]
    if entry["verb"] == "delete":
        return list(_judge_delete(entry))
    if entry["verb"] == "create" and not entry["objectRef"].get("subresource"):
        return list(_judge_create(entry))
    return []


def taken_down(
    operator: Sequence[Object], others: Sequence[Object], created: Mapping[str, float]
) -> set[str]:
    """UIDs of the Pods that the operator deleted and, as far as is known, nobody else before it.

    Of others' requests only the Pod's name is known, if that; `created` tells since when there is a Pod (Unix
    seconds by UID).
    """
    asked = [(entry["objectRef"].get("name"), received(entry)) for entry in others]
    taken = set()
    for entry in operator:
        if (entry["verb"], entry["objectRef"]["resource"]) != ("delete", "pods") or not _succeeded(entry):
            continue
        uid = entry["requestObject"].get("preconditions", {}).get("uid", "")
        name = entry["objectRef"]["name"]
        since, until = created.get(uid, 0), answered(entry)
        excused = any(whose in (name, None) and since <= when <= until for whose, when in asked)
        if not excused:
            taken.add(uid)
    return taken


def answered(entry: Object) -> float:
    """When the API server had answered, in Unix seconds."""
    return datetime.fromisoformat(entry["stageTimestamp"]).timestamp()


def received(entry: Object) -> float:
    """When the API server got the request, in Unix seconds."""
    return datetime.fromisoformat(entry["requestReceivedTimestamp"]).timestamp()


def late_news(entry: Object, moment: float) -> bool:
    """The request tells, in an Event, of what was done before that moment; it was held up on its way."""
    body = entry.get("requestObject")
    happened = body.get("eventTime") if isinstance(body, dict) else None  # a JSON patch is a list
    return happened is not None and datetime.fromisoformat(happened).timestamp() < moment


def describe(entry: Object) -> str:
    reference = entry["objectRef"]
    what = "/".join(filter(None, map(reference.get, ("resource", "name", "subresource"))))
    code = entry.get("responseStatus", {}).get("code")
    return f"{entry['requestReceivedTimestamp']} {entry['verb']} {what} {code}"


def _succeeded(entry: Object) -> bool:
    code: int = entry["responseStatus"]["code"]
    return code < HTTPStatus.MULTIPLE_CHOICES


def _judge_delete(entry: Object) -> Iterator[Violation]:
    options: dict[str, Any] = entry.get("requestObject") or {}
    in_query = parse_qs(urlsplit(entry["requestURI"]).query).get("gracePeriodSeconds", [])
    if options.get("gracePeriodSeconds") == 0 or "0" in in_query:
        yield _violation(FORCE, entry, f"gracePeriodSeconds is 0 in {options} or {in_query}")
    if not options.get("preconditions", {}).get("uid"):
        yield _violation(PRECONDITION, entry, f"no preconditions.uid in {options}")


def _judge_create(entry: Object) -> Iterator[Violation]:
    meta = (entry.get("requestObject") or {}).get("metadata", {})
    labels = meta.get("labels", {})
    named = (labels.get(f"{GROUP}/kind"), labels.get(f"{GROUP}/name"))
    controllers = [o for o in meta.get("ownerReferences", ()) if o.get("controller")]
    if [(c["kind"], c["name"]) for c in controllers] != [named]:
        yield _violation(REFERENCE, entry, f"labels name {named}, controllers are {controllers}")


def _violation(rule: str, entry: Object, detail: str) -> Violation:
    return Violation(rule, describe(entry), detail)
