from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from testbed.witness import requests

UID = {"preconditions": {"uid": "1"}}
REFERENCE = {"kind": "SidecarApp", "name": "site", "uid": "A", "controller": True}
LABELS = {"podpatterns.dev/kind": "SidecarApp", "podpatterns.dev/name": "site"}


def entry(
    verb: str, body: dict[str, Any] | None, *, resource: str = "pods", query: str = "", code: int = 200
) -> dict[str, Any]:
    return {
        "verb": verb,
        "requestURI": f"/api/v1/namespaces/ns/pods/site-0{query}",
        "objectRef": {"resource": resource, "namespace": "ns", "name": "site-0"},
        **({} if body is None else {"requestObject": body}),
        "requestReceivedTimestamp": "2026-01-01T00:00:00.000000Z",
        "responseStatus": {"code": code},
    }


def create(*references: dict[str, Any]) -> dict[str, Any]:
    return entry("create", {"metadata": {"labels": LABELS, "ownerReferences": list(references)}})


@pytest.mark.parametrize(
    ("asked", "rules"),
    [
        (entry("delete", UID), []),
        (entry("delete", {**UID, "gracePeriodSeconds": 5}), []),
        (entry("delete", {**UID, "gracePeriodSeconds": 0}), [requests.FORCE]),
        (entry("delete", UID, query="?gracePeriodSeconds=0"), [requests.FORCE]),
        (entry("delete", {}), [requests.PRECONDITION]),
        (entry("delete", {}, resource="leases"), []),
        (entry("deletecollection", UID), [requests.COLLECTION]),
        (entry("delete", {}, code=409), [requests.PRECONDITION]),
        (entry("delete", None), [requests.PRECONDITION]),
        (entry("delete", None, code=403), []),
        (entry("create", None, code=429), []),
        (create(REFERENCE), []),
        (create(), [requests.REFERENCE]),
        (create(REFERENCE, REFERENCE), [requests.REFERENCE]),
        (create({**REFERENCE, "name": "other"}), [requests.REFERENCE]),
        (create({**REFERENCE, "controller": False}), [requests.REFERENCE]),
    ],
)
def test_requests(asked: dict[str, Any], rules: list[str]) -> None:
    assert [v.rule for v in requests.judge(asked)] == rules


def deletion(uid: str, *, at: int, code: int = 200) -> dict[str, Any]:
    asked = entry("delete", {"preconditions": {"uid": uid}}, code=code)
    return {**asked, "requestReceivedTimestamp": moment(at), "stageTimestamp": moment(at + 1)}


def moment(second: int) -> str:
    return f"2026-01-01T00:00:{second:02}.000000Z"


CREATED = {"1": datetime(2026, 1, 1, 0, 0, 10, tzinfo=UTC).timestamp()}


@pytest.mark.parametrize(
    ("operator", "others", "taken"),
    [
        ([deletion("1", at=20)], [], {"1"}),
        ([deletion("1", at=20, code=409)], [], set()),
        ([entry("delete", None, code=429)], [], set()),
        ([deletion("1", at=20)], [deletion("", at=5)], {"1"}),  # another Pod of that name
        ([deletion("1", at=20)], [deletion("", at=15)], set()),
        ([deletion("1", at=20)], [deletion("", at=25)], {"1"}),  # the kubelet's, at the end
    ],
)
def test_whom_the_operator_took_down(
    operator: list[dict[str, Any]], others: list[dict[str, Any]], taken: set[str]
) -> None:
    assert requests.taken_down(operator, others, CREATED) == taken


def test_news_of_earlier_deeds_may_come_late() -> None:
    event = entry("create", {"eventTime": moment(10)}, resource="events")
    ten = datetime(2026, 1, 1, 0, 0, 10, tzinfo=UTC).timestamp()
    assert requests.late_news(event, ten + 1)
    assert not requests.late_news(event, ten - 1)
    assert not requests.late_news(create(REFERENCE), ten)
    status = {**create(REFERENCE), "verb": "patch", "requestObject": [{"op": "add", "path": "/status"}]}
    assert not requests.late_news(status, ten)


@pytest.mark.parametrize("verb", ["delete", "deletecollection"])
def test_no_claim_is_deleted(verb: str) -> None:
    asked = entry(verb, None, resource="persistentvolumeclaims", code=403)
    assert [v.rule for v in requests.judge(asked)] == [requests.CLAIM]
    assert requests.judge(entry("patch", {}, resource="persistentvolumeclaims")) == []
