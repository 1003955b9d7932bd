"""The policy that keeps parts which applications include, on a real API server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podpatterns.api import KINDS
from podpatterns.api.policy.partsinuse import ALLOW_DELETION
from testbed.cluster.control_plane import ControlPlane
from testbed.cluster.kubectl import Kubectl, KubectlError
from testbed.cluster.namespace import own_namespace
from testbed.cluster.policies import installed_policies
from testbed.eventually import eventually
from testbed.manifests import container, manifest

SPECS: dict[str, dict[str, Any]] = {
    "SidecarApp": {"sidecars": [container("helper")]},
    "Ambassador": {
        "upstreams": [{"name": "a", "protocol": "tcp", "listen": {"port": 80}, "endpoints": ["a:80"]}]
    },
    "Adapter": {"sources": [{"name": "a", "type": "json", "json": {"url": "http://127.0.0.1/"}}]},
}
TEMPLATE = {"spec": {"containers": [container("web")]}}
PAIRS = [(part.kind, user.kind) for part, user in zip(KINDS, (*KINDS[1:], KINDS[0]), strict=True)]


@pytest.fixture(scope="module", autouse=True)
def _policies(control_plane: ControlPlane, crds: Path) -> Iterator[None]:
    with installed_policies(Kubectl(control_plane.kubeconfig)):
        yield


def part(kind: str = "SidecarApp", name: str = "part", **metadata: Any) -> dict[str, Any]:
    return manifest(kind, name, SPECS[kind], **metadata)


def user(kind: str = "SidecarApp", part: str = "SidecarApp", **metadata: Any) -> dict[str, Any]:
    spec = {**SPECS[kind], "template": TEMPLATE, "include": [{"kind": part, "name": "part"}]}
    return manifest(kind, "user", spec, **metadata)


def refusal(kubectl: Kubectl, *what: str) -> str:
    """Return why the API server refuses a deletion; empty if it doesn't."""
    try:
        kubectl("delete", *what, "--dry-run=server")
    except KubectlError as error:
        return str(error)
    return ""


def kept(kubectl: Kubectl, *what: str) -> str:
    """Return the refusal of a part in use, once the policies and the application have reached admission."""
    return eventually(lambda: refusal(kubectl, *what), 30, until=bool)


@pytest.mark.parametrize(("of", "by"), PAIRS)
def test_a_part_is_kept_while_an_application_includes_it(kubectl: Kubectl, of: str, by: str) -> None:
    kubectl.apply(part(of), user(by, of))

    told = kept(kubectl, of, "part")

    assert f"{by} user includes this part" in told
    assert "take it out of their spec.include" in told
    assert f"{ALLOW_DELETION}=true" in told


def test_the_way_out_by_an_annotation(kubectl: Kubectl) -> None:
    kubectl.apply(part(), user())
    kept(kubectl, "sidecarapp", "part")
    kubectl("annotate", "sidecarapp", "part", f"{ALLOW_DELETION}=false")
    assert refusal(kubectl, "sidecarapp", "part")

    kubectl("annotate", "--overwrite", "sidecarapp", "part", f"{ALLOW_DELETION}=true")

    kubectl("delete", "sidecarapp", "part")


def test_the_way_out_by_the_users(kubectl: Kubectl) -> None:
    """A status of before, which no operator is here to write anew, doesn't matter."""
    kubectl.apply(part(), user())
    with_users(kubectl, [{"kind": "SidecarApp", "name": "user"}])
    kept(kubectl, "sidecarapp", "part")

    kubectl("delete", "sidecarapp", "user")

    eventually(lambda: refusal(kubectl, "sidecarapp", "part"), 30, until=lambda told: not told)
    kubectl("delete", "sidecarapp", "part")


def test_a_part_is_kept_while_its_status_names_users_of_other_namespaces(kubectl: Kubectl) -> None:
    kubectl.apply(part())
    users = [{"kind": "SidecarApp", "name": "near"}, {"kind": "Adapter", "name": "far", "namespace": "shop"}]
    with_users(kubectl, users)

    told = kept(kubectl, "sidecarapp", "part")

    assert "Adapter far in namespace shop includes this part" in told
    assert f"{ALLOW_DELETION}=true" in told
    with_users(kubectl, users[:1])
    eventually(lambda: refusal(kubectl, "sidecarapp", "part"), 30, until=lambda told: not told)


def test_a_part_of_its_name_in_another_namespace_is_another(kubectl: Kubectl) -> None:
    include = [{"kind": "SidecarApp", "name": "part", "namespace": "elsewhere"}]
    other = manifest("SidecarApp", "other", {"template": TEMPLATE, "include": include})
    kubectl.apply(part(), other, user("Adapter"), part("Adapter"))
    assert "Adapter user" in kept(kubectl, "sidecarapp", "part")
    kubectl("delete", "adapter", "user")
    eventually(lambda: refusal(kubectl, "sidecarapp", "part"), 30, until=lambda told: not told)


def with_users(kubectl: Kubectl, users: list[dict[str, str]]) -> None:
    used = {"status": {"usedBy": users}}
    kubectl(
        "patch", "sidecarapp", "part", "--subresource=status", "--type=merge", f"--patch={json.dumps(used)}"
    )


def test_a_user_that_is_terminating_counts_no_more(kubectl: Kubectl) -> None:
    kubectl.apply(part(), user(finalizers=["example.com/held"]))
    kept(kubectl, "sidecarapp", "part")

    kubectl("delete", "sidecarapp", "user", "--wait=false")

    eventually(lambda: refusal(kubectl, "sidecarapp", "part"), 30, until=lambda told: not told)
    kubectl("patch", "sidecarapp", "user", "--type=merge", '--patch={"metadata": {"finalizers": null}}')


def test_what_is_no_part_in_use_goes(kubectl: Kubectl) -> None:
    """An application, a part of another name, and a part of the name in another kind."""
    kubectl.apply(part(), user(), part(name="other"), part("Adapter"))
    kept(kubectl, "sidecarapp", "part")

    kubectl("delete", "sidecarapp/other", "adapter/part", "sidecarapp/user")


def test_all_at_once_leaves_the_part_for_a_second_try(kubectl: Kubectl) -> None:
    kubectl.apply(part(), user())
    kept(kubectl, "sidecarapp", "part")
    with pytest.raises(KubectlError, match="user includes this part"):
        kubectl("delete", "sidecarapp", "part", "user")

    eventually(lambda: refusal(kubectl, "sidecarapp", "part"), 30, until=lambda told: not told)
    kubectl("delete", "sidecarapp", "--all")


def test_a_namespace_goes_with_its_parts(control_plane: ControlPlane) -> None:
    with own_namespace(control_plane.kubeconfig, "parts", keep=True) as namespace:
        kubectl = Kubectl(control_plane.kubeconfig, namespace)
        # The application is held, and with it the namespace, so that the part's turn comes while it is there.
        kubectl.apply(part(), user(finalizers=["example.com/held"]))
        kept(kubectl, "sidecarapp", "part")

        kubectl("delete", "namespace", namespace, "--wait=false")

        eventually(
            lambda: [o["metadata"]["name"] for o in kubectl.get("sidecarapp")["items"]],
            60,
            until=lambda names: names == ["user"],
        )
        kubectl("patch", "sidecarapp", "user", "--type=merge", '--patch={"metadata": {"finalizers": null}}')


def test_the_garbage_collector_takes_a_part_with_its_owner(kubectl: Kubectl) -> None:
    kubectl("create", "configmap", "owner")
    uid = kubectl.get("configmap", "owner")["metadata"]["uid"]
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid}
    kubectl.apply(part(ownerReferences=[owner]), user())
    kept(kubectl, "sidecarapp", "part")

    kubectl("delete", "configmap", "owner")

    eventually(
        lambda: [o["metadata"]["name"] for o in kubectl.get("sidecarapp")["items"]],
        60,
        until=lambda names: names == ["user"],
    )
