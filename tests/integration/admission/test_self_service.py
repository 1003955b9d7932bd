"""Authors who may not create Pods: harmless objects are theirs, and each right is for what it names alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from podpatterns.api.policy import selfservice
from podpatterns.api.policy.places import places
from podpatterns.api.policy.podsecurity import OF_CONTAINER, OF_POD
from testbed.cluster.control_plane import ControlPlane
from testbed.cluster.impersonation import APPLY, MERGE_PATCH, Impersonated
from testbed.cluster.kubectl import Kubectl
from testbed.cluster.policies import POLICIES, SELF_SERVICE, installed_policies
from testbed.eventually import eventually
from tests.integration.admission.builders import app, harmless
from tests.integration.admission.escalations import ESCALATIONS, Escalation
from tests.integration.admission.escalations import HARMLESS as EVERY_HARMLESS
from tests.integration.admission.selfservice import SECRETS_BESIDE, SELF_SERVICE_ALONE
from tests.integration.admission.users import (
    AUTHOR,
    GUARDED,
    HARMLESS,
    OPEN,
    PARTS,
    PODDER,
    author_of,
    holder,
    made_of,
    objects,
    pods,
)

EVERY = [*ESCALATIONS, *SELF_SERVICE_ALONE]
RIGHTS = [right.resource for right in selfservice.rights()]
STORED = "stored"

User = Callable[[str], Impersonated]


@pytest.fixture(scope="module", autouse=True)
def _policies(control_plane: ControlPlane, act_as: User) -> Iterator[None]:
    """In force, with an object of an administrator's for others to change."""
    kubectl = Kubectl(control_plane.kubeconfig, OPEN)
    privileged = app(pod={"hostNetwork": True})
    kubectl.apply({**privileged, "metadata": {"name": STORED}})
    with installed_policies(kubectl, POLICIES, SELF_SERVICE):
        eventually(
            lambda: (
                act_as(AUTHOR).create(objects(HARMLESS), HARMLESS).ok,
                act_as(AUTHOR).create(objects(privileged), privileged).ok,
            ),
            until=lambda taken: taken == (True, False),
        )
        yield
    kubectl("delete", "sidecarapp", STORED)


@pytest.mark.parametrize("one", EVERY, ids=str)
def test_each_right_lifts_its_restriction_and_no_other(act_as: User, one: Escalation) -> None:
    path = objects(one.obj)
    other_right = next(right for right in RIGHTS if right != one.right)

    def author(*rights: str) -> str:
        return holder(*rights) if one.right == PARTS else author_of(one.obj, *rights)

    refused = act_as(author()).create(path, one.obj)
    other = act_as(author(other_right)).create(path, one.obj)

    assert refused.body["reason"] == "Forbidden"
    assert f"nor use {one.right}.podpatterns.dev. Without one of these rights " in refused.message
    assert f" {one.at} " in refused.message
    also = refused.message.partition(" The object also needs the right to use ")[2]
    assert also == ("" if author() == AUTHOR else PARTS)
    assert f"nor use {one.right}.podpatterns.dev" in other.message
    for name in (author(one.right), PODDER):
        answer = act_as(name).create(path, one.obj)
        assert answer.ok, f"{name}: {answer.message}"


@pytest.mark.parametrize("one", [*EVERY_HARMLESS, *ESCALATIONS], ids=str)
def test_pods_of_what_needs_no_right_pass_pod_security(
    act_as: User, operator: Impersonated, one: Escalation
) -> None:
    """The real thing judges the Pod of whatever the policy takes of an author without the right."""
    rights = () if one.right in ("", "privileged", "hostports") else (one.right,)
    taken = act_as(author_of(one.obj, *rights))

    obj = taken.create(objects(one.obj), one.obj)
    pod = operator.create(pods(GUARDED), made_of(one, GUARDED))

    assert obj.ok == pod.ok == (one.right not in ("privileged", "hostports")), f"{obj.message}; {pod.message}"


@pytest.mark.parametrize(("right", "at", "obj"), SECRETS_BESIDE, ids=lambda value: str(value)[:50])
def test_a_secret_where_another_right_is_needed_needs_both(
    act_as: User, right: str, at: str, obj: dict[str, object]
) -> None:
    neither = act_as(AUTHOR).create(objects(obj), obj).message
    one = act_as(holder(right)).create(objects(obj), obj).message

    told = re.search(r"nor use (\w+)\..* The object also needs the right to use (.+)", neither)
    assert told
    assert {right, "secrets"} <= {told[1], *told[2].split(", ")}
    assert f"{at} must not be set" in one


def test_several_faults_are_listed_together_and_at_most_20(act_as: User) -> None:
    bare = [{"name": f"c{i}", "image": "x"} for i in range(12)]
    obj = app(pod={"containers": bare})

    told = act_as(AUTHOR).create(objects(obj), obj).message

    assert len(re.findall(r"spec\.template\.spec\.containers\[\d+\]", told)) == 20
    assert "; and so on: correct that, or ask for one of them" in told


def test_an_object_of_the_greatest_size_is_judged(act_as: User) -> None:
    """The API server gives expressions a limit of cost."""
    env = [{"name": f"A{i}", "value": "x"} for i in range(100)]
    many = [harmless(f"c{i}", env=env, ports=[{"containerPort": i + 1}]) for i in range(64)]
    volumes = [{"name": f"v{i}", "emptyDir": {}} for i in range(200)]
    obj = app(pod={"containers": many, "volumes": volumes}, sidecars=[harmless(f"s{i}") for i in range(60)])
    worse = app(pod={"containers": many, "volumes": [*volumes, {"name": "v", "secret": {"secretName": "a"}}]})

    assert act_as(AUTHOR).create(objects(obj), obj).ok
    assert "volumes[200].secret must not be set" in act_as(AUTHOR).create(objects(worse), worse).message


def test_the_whole_object_is_judged_at_every_change_of_its_spec(act_as: User) -> None:
    path = objects(HARMLESS, OPEN, STORED)
    for body, content_type in (
        ({"spec": {"replicas": 2}}, MERGE_PATCH),
        ({**HARMLESS, "metadata": {"name": STORED}, "spec": {"replicas": 2}}, APPLY),
    ):
        refused = act_as(AUTHOR).request("PATCH", path, body, content_type, fieldManager="test")
        assert "spec.template.spec.hostNetwork must not be true" in refused.message
        assert act_as(holder("privileged")).request("PATCH", path, body, content_type, fieldManager="test").ok
    labels = {"metadata": {"labels": {"team": "shop"}}}
    assert act_as(AUTHOR).request("PATCH", path, labels, MERGE_PATCH).ok
    harmless_now = {"spec": {"template": {"spec": {"hostNetwork": False}}}}
    assert act_as(AUTHOR).request("PATCH", path, harmless_now, MERGE_PATCH).ok


def test_the_api_server_finds_no_mistake_in_the_policies(control_plane: ControlPlane) -> None:
    """It checks types after it has taken a policy, and the names of fields by the schemas."""
    kubectl = Kubectl(control_plane.kubeconfig)

    def checked() -> list[Any]:
        policies = kubectl.get("validatingadmissionpolicy")["items"]
        return [p.get("status", {}).get("typeChecking") for p in policies]

    found = eventually(checked, until=lambda found: None not in found)
    assert found == [{}] * len(found)
    assert len(found) >= 5


def test_every_rule_is_broken_by_an_escalation() -> None:
    tried = {re.sub(r"\[\d+\]", "[]", one.at) for one in EVERY}
    beside = {re.sub(r"\[\d+\]", "[]", at) for _, at, _ in SECRETS_BESIDE}
    found = places()
    anywhere = (*found.containers, *found.fragments)

    assert set(found.secrets) <= tried | beside
    assert set(found.volumes) <= tried
    for path in found.container_secrets:
        for container in anywhere:
            if "ephemeral" not in container:
                assert f"{container}.{path}" in tried
    assert {f"spec.template.spec.{one.field}" for one in OF_POD} <= tried
    assert {f"spec.template.spec.containers[].{one.field}" for one in OF_CONTAINER} <= tried
    assert {one.right for one in EVERY} == set(RIGHTS)
