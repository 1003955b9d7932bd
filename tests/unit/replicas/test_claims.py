"""What is done about a claim that is there."""

from __future__ import annotations

from typing import Any

import pytest

from podpatterns.api.conditions import ConditionType, Reason
from podpatterns.api.volumeclaim import VolumeClaimTemplate
from podpatterns.compose.claims import claim_manifest
from podpatterns.replicas.claims import (
    Finding,
    Findings,
    claims_current,
    condemned_patch,
    differences,
    enlargement,
    ownership_patch,
    terminating,
)
from podpatterns.replicas.condition import Condition
from podpatterns.replicas.failure import Failure
from testbed.builders import sidecarapp, template

LABELS = {"podpatterns.dev/kind": "SidecarApp", "podpatterns.dev/name": "site"}
OBJECT = {"kind": "SidecarApp", "name": "site", "uid": "uid-of-site", "controller": True}
FORMER_OBJECT = {**OBJECT, "uid": "former"}
POD = {"kind": "Pod", "name": "site-0", "uid": "uid-of-pod", "controller": True}
FORMER_POD = {**POD, "uid": "former"}
OTHER = {"kind": "Backup", "name": "nightly", "uid": "other"}
OTHER_CONTROLLER = {**OTHER, "controller": True}

TEMPLATE = {
    "metadata": {"name": "data", "labels": {"team": "a"}},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Gi"}}},
}


def site(deleted: str = "Retain", scaled: str = "Retain") -> Any:
    policy = {"whenDeleted": deleted, "whenScaled": scaled}
    return sidecarapp(
        template=template(), volumeClaimTemplates=[TEMPLATE], persistentVolumeClaimRetentionPolicy=policy
    )


WANTED = claim_manifest(site(), VolumeClaimTemplate.model_validate(TEMPLATE), "site-0")


def claim(*owners: dict[str, Any], labels: dict[str, str] | None = None, **fields: Any) -> dict[str, Any]:
    """One with the size of its template, as the API server gives it."""
    meta = {"name": "data-site-0", "labels": {**LABELS, "team": "a"} if labels is None else labels}
    return {
        "metadata": {**meta, "ownerReferences": list(owners), **fields.pop("metadata", {})},
        "spec": {**WANTED["spec"], "volumeMode": "Filesystem", **fields},
    }


def sized(size: str, **fields: Any) -> dict[str, Any]:
    return claim(resources={"requests": {"storage": size}}, **fields)


def referred(patch: dict[str, Any] | None) -> list[tuple[str, str]] | None:
    """What becomes of which owner, by UID."""
    if patch is None:
        return None
    references = patch["metadata"]["ownerReferences"]
    return [(reference.get("$patch", "add"), reference["uid"]) for reference in references]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (claim(), None),
        (claim(OBJECT), None),
        (claim(OTHER), None),
        (
            claim(metadata={"deletionTimestamp": "now", "finalizers": ["x/y"]}),
            "is being deleted (finalizer x/y)",
        ),
        (claim(FORMER_POD), "belongs to an earlier"),
        (claim(FORMER_OBJECT), "belongs to an earlier"),
        (claim(FORMER_OBJECT, labels={}), None),  # somebody else's: it is used
        (claim(OTHER_CONTROLLER), None),
    ],
)
def test_a_pod_waits_for_a_claim_that_goes(found: dict[str, Any], said: str | None) -> None:
    failure = terminating(found, site(), "site-0")
    if said is None:
        assert failure is None
    else:
        assert failure is not None
        assert failure.reason is Reason.CLAIM_TERMINATING
        assert said in failure.message


@pytest.mark.parametrize(
    ("deleted", "found", "patched"),
    [
        ("Retain", claim(), None),
        ("Retain", claim(OBJECT), [("delete", "uid-of-site")]),
        ("Retain", claim(POD), [("delete", "uid-of-pod")]),  # it was to be scaled down, and stays
        ("Delete", claim(), [("add", "uid-of-site")]),
        ("Delete", claim(OBJECT), None),
        ("Delete", claim({**OBJECT, "controller": False}), [("add", "uid-of-site")]),
        ("Delete", claim(POD), [("delete", "uid-of-pod"), ("add", "uid-of-site")]),
        ("Delete", claim(OTHER), [("add", "uid-of-site")]),
        ("Delete", claim(OTHER_CONTROLLER), None),
        ("Delete", claim(labels={}), None),
        ("Delete", claim(FORMER_POD), None),
        ("Delete", claim(metadata={"deletionTimestamp": "now"}), None),
    ],
)
def test_owners_of_a_replicas_claim(deleted: str, found: dict[str, Any], patched: Any) -> None:
    assert referred(ownership_patch(found, site(deleted), "site-0", "uid-of-pod")) == patched


@pytest.mark.parametrize(
    ("found", "patched"),
    [
        (claim(), [("add", "uid-of-pod")]),
        (claim(OBJECT), [("delete", "uid-of-site"), ("add", "uid-of-pod")]),
        (claim(POD), None),
        (claim(labels={}), None),
        (claim(OTHER_CONTROLLER), None),
    ],
)
def test_a_condemned_pod_takes_its_claim_along(found: dict[str, Any], patched: Any) -> None:
    assert referred(condemned_patch(found, site(scaled="Delete"), "site-0", "uid-of-pod")) == patched


@pytest.mark.parametrize(
    ("found", "enlarged"),
    [
        (sized("1Gi"), True),
        (sized("2Gi"), False),
        (sized("2048Mi"), False),
        (sized("3Gi"), False),
        (sized("a lot"), False),
        (sized("1Gi", labels={}), False),
    ],
)
def test_a_claim_grows_and_never_shrinks(found: dict[str, Any], enlarged: bool) -> None:
    patch = enlargement(found, WANTED, site(), "site-0")
    assert patch == ({"spec": {"resources": {"requests": {"storage": "2Gi"}}}} if enlarged else None)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (claim(), ()),
        (sized("1Gi"), ()),
        (sized("3Gi"), ("spec.resources.requests.storage",)),
        (claim(accessModes=["ReadOnlyMany"]), ("spec.accessModes",)),
        (claim(labels=LABELS), ("metadata.labels",)),
        (claim(labels={}, accessModes=[]), ()),
    ],
)
def test_what_can_not_be_changed_is_told(found: dict[str, Any], told: tuple[str, ...]) -> None:
    assert differences(found, WANTED, site(), "site-0") == told


def current(found: dict[str, Finding] | None, *, pending: bool = False, told: Condition | None = None) -> Any:
    findings = None if found is None else Findings(found, pending)
    [condition] = claims_current(site(), findings, told)
    return condition.status, condition.reason, condition.message


def test_the_condition() -> None:
    refused = Finding("site-0", Failure(Reason.FORBIDDEN, "only dynamically provisioned"))
    differs = Finding("site-1", differs=("spec.accessModes",))
    assert current({})[:2] == (True, Reason.CLAIMS_CURRENT)
    assert current({"b": differs, "a": refused, "c": refused}) == (
        False,
        Reason.CLAIM_REFUSED,
        "only dynamically provisioned; refused for 1 more",
    )
    status, reason, message = current({"data-site-1": differs})
    assert (status, reason) == (False, Reason.CLAIMS_DIFFER)
    assert "data-site-1 (spec.accessModes)" in message
    assert current({}, pending=True)[:2] == (None, Reason.PENDING)
    before = Condition(ConditionType.VOLUME_CLAIMS_CURRENT, False, Reason.CLAIM_REFUSED, "no")
    assert current(None, told=before) == (False, Reason.CLAIM_REFUSED, "no")
    assert list(claims_current(sidecarapp(template=template()), Findings(), None)) == []
