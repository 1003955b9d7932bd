"""An object gets nothing for its author that the author could not create as a Pod, and everything else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from podpatterns.api import KINDS
from testbed.cluster.control_plane import ControlPlane
from testbed.cluster.impersonation import APPLY, MERGE_PATCH, Answer, Impersonated
from testbed.cluster.kubectl import Kubectl
from testbed.cluster.policies import installed_policies
from testbed.eventually import eventually
from tests.integration.admission.builders import OWN, app, part
from tests.integration.admission.escalations import ESCALATIONS, Escalation
from tests.integration.admission.escalations import HARMLESS as EVERY_HARMLESS
from tests.integration.admission.users import (
    AUTHOR,
    EDITOR,
    GUARDED,
    HARMLESS,
    OPEN,
    PODDER,
    SCALER,
    by_hand,
    made_of,
    objects,
    pods,
)

REFUSED = f"author may not create Pods in namespace {OPEN}"
STORED = "stored"
EVERY = [*ESCALATIONS, *EVERY_HARMLESS]

User = Callable[[str], Impersonated]


@pytest.fixture(scope="module", autouse=True)
def _policies(control_plane: ControlPlane, act_as: User) -> Iterator[None]:
    """In force, with an object of an administrator's for others to change."""
    kubectl = Kubectl(control_plane.kubeconfig, OPEN)
    kubectl.apply({**HARMLESS, "metadata": {"name": STORED}})
    with installed_policies(kubectl):
        eventually(
            lambda: "may not create Pods" in act_as(AUTHOR).create(objects(HARMLESS), HARMLESS).message
        )
        yield
    kubectl("delete", "sidecarapp", STORED)


@pytest.mark.parametrize("one", EVERY, ids=str)
def test_an_object_is_taken_of_those_who_may_create_its_pod(act_as: User, one: Escalation) -> None:
    for name, may in ((AUTHOR, False), (PODDER, True)):
        user = act_as(name)
        pod = user.create(pods(), by_hand(made_of(one, OPEN)))
        obj = user.create(objects(one.obj), one.obj)
        assert (obj.ok, pod.ok) == (may, may), f"{name}: {obj.message}; {pod.message}"


@pytest.mark.parametrize("one", EVERY, ids=str)
def test_pod_security_judges_the_pods_as_it_judges_one_by_hand(
    act_as: User, operator: Impersonated, one: Escalation
) -> None:
    pod = made_of(one, GUARDED)
    by_author, by_operator = (
        act_as(PODDER).create(pods(GUARDED), by_hand(pod)),
        operator.create(pods(GUARDED), pod),
    )

    assert by_operator.ok == by_author.ok == (one.right not in ("privileged", "hostports"))
    assert by_operator.ok or "violates PodSecurity" in by_operator.message
    assert act_as(PODDER).create(objects(one.obj, GUARDED), one.obj).ok


@pytest.mark.parametrize("kind", [kind.kind for kind in KINDS])
def test_the_refusal_names_the_right_and_the_way_out(act_as: User, kind: str) -> None:
    makes = act_as(AUTHOR).create(objects(app(kind)), app(kind))
    adds = act_as(AUTHOR).create(objects(part(kind)), part(kind))

    assert makes.body["reason"] == adds.body["reason"] == "Forbidden"
    assert (
        f"{REFUSED}, and a {kind} makes them: ask for the verb create on the resource pods" in makes.message
    )
    assert f"{REFUSED}, and a {kind} without spec.template becomes part of them: ask for" in adds.message


def test_the_role_edit_has_the_right(act_as: User) -> None:
    assert act_as(EDITOR).create(objects(HARMLESS), HARMLESS).ok


def replicas(number: int) -> dict[str, Any]:
    return {"spec": {"replicas": number}}


def written(user: Impersonated, change: dict[str, Any], way: str) -> Answer:
    """Return the answer to a change of the stored object, by one of the ways in which people write."""
    path = objects(HARMLESS, OPEN, STORED)
    whole = {**HARMLESS, "metadata": {"name": STORED}, "spec": {**HARMLESS["spec"], **change.get("spec", {})}}
    match way:
        case "update":
            there = user.request("PATCH", path, {}, MERGE_PATCH).body["metadata"]
            meta = {**there, **change.get("metadata", {})}
            return user.request("PUT", path, {**whole, "metadata": meta})
        case "apply":
            meta = {"name": STORED, **change.get("metadata", {})}
            whole = {**whole, "metadata": meta}
            return user.request("PATCH", path, whole, APPLY, fieldManager="test", force="true")
        case "json patch":
            [(field, value)] = [(f"{a}/{b}", v) for a, of in change.items() for b, v in of.items()]
            operation = {"op": "add", "path": f"/{field}", "value": value}
            return user.request("PATCH", path, [operation], "application/json-patch+json")
    return user.request("PATCH", path, change, MERGE_PATCH)


WAYS = ("update", "merge patch", "json patch", "apply")


@pytest.mark.parametrize("way", WAYS)
def test_a_change_of_the_spec_needs_the_right_too(act_as: User, way: str) -> None:
    assert REFUSED in written(act_as(AUTHOR), replicas(2), way).message
    assert written(act_as(PODDER), replicas(2), way).ok


@pytest.mark.parametrize("way", WAYS)
def test_a_change_of_labels_needs_none(act_as: User, way: str) -> None:
    answer = written(act_as(AUTHOR), {"metadata": {"labels": {"team": "shop"}}}, way)

    assert answer.ok, answer.message
    assert answer.body["metadata"]["labels"] == {"team": "shop"}


def test_applying_what_is_not_there_is_a_creation(act_as: User) -> None:
    new = {**HARMLESS, "metadata": {"name": "new"}}
    for user, may in ((AUTHOR, False), (PODDER, True)):
        path = objects(HARMLESS, OPEN, "new")
        answer = act_as(user).request("PATCH", path, new, APPLY, fieldManager="test")
        assert answer.ok == may, answer.message


def test_scaling_is_a_question_of_rbac(act_as: User) -> None:
    scale = objects(HARMLESS, OPEN, f"{STORED}/scale")

    assert act_as(SCALER).request("PATCH", scale, replicas(3), MERGE_PATCH).ok
    assert "cannot patch resource" in act_as(AUTHOR).request("PATCH", scale, replicas(3), MERGE_PATCH).message


def test_the_operator_writes_the_status(operator: Impersonated) -> None:
    status = {"status": {"replicas": 1, "observedGeneration": 1}}

    answer = operator.request("PATCH", objects(HARMLESS, OPEN, f"{STORED}/status"), status, MERGE_PATCH)

    assert answer.ok, answer.message


def owned(kubectl: Kubectl, name: str) -> None:
    """Create an object of ours, and a ConfigMap that owns it."""
    kubectl("create", "configmap", name)
    uid = kubectl.get("configmap", name)["metadata"]["uid"]
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": uid}
    kubectl.apply({**HARMLESS, "metadata": {"name": name, "ownerReferences": [owner]}})


def test_the_garbage_collector_collects_and_leaves_orphans(control_plane: ControlPlane) -> None:
    """It takes the owner reference out of objects that are to stay when their owner goes."""
    kubectl = Kubectl(control_plane.kubeconfig, OPEN)
    owned(kubectl, "collected")
    kubectl("delete", "configmap", "collected")
    # It notices a new kind within half a minute; until then it knows of no object of it.
    gone = ("get", "sidecarapp", "collected", "--ignore-not-found", "--output=name")
    eventually(lambda: kubectl(*gone), 60, until=lambda found: not found)
    owned(kubectl, "orphan")

    kubectl("delete", "configmap", "orphan", "--cascade=orphan")

    eventually(
        lambda: kubectl.get("sidecarapp", "orphan")["metadata"],
        until=lambda meta: not meta.get("ownerReferences"),
    )
    kubectl("delete", "sidecarapp", "orphan")


def test_other_namespaces_have_rights_of_their_own(act_as: User, control_plane: ControlPlane) -> None:
    """Who may create Pods elsewhere may not here."""
    kubectl = Kubectl(control_plane.kubeconfig)
    kubectl(
        "create", "rolebinding", "elsewhere", "--clusterrole=edit", f"--user={AUTHOR}", "--namespace=default"
    )

    assert REFUSED in act_as(AUTHOR).create(objects(HARMLESS), HARMLESS).message
    kubectl("delete", "rolebinding", "elsewhere", "--namespace=default")


def test_every_kind_is_tried() -> None:
    assert {one.obj["kind"] for one in ESCALATIONS} == set(OWN) == {kind.kind for kind in KINDS}
    assert len({str(one) for one in EVERY}) == len(EVERY) > 60
    assert json.dumps([one.obj for one in EVERY])
