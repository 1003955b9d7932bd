"""The operator's leash: it writes what it made for objects of ours, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from podpatterns.api import API_VERSION
from podpatterns.api.names import KIND_LABEL, NAME_LABEL
from testbed.cluster.control_plane import ControlPlane
from testbed.cluster.impersonation import MERGE_PATCH, Impersonated
from testbed.cluster.kubectl import Kubectl
from testbed.eventually import eventually
from tests.integration.admission.builders import Object, harmless
from tests.integration.admission.users import HARMLESS, OPEN, pods

LABELS = {KIND_LABEL: "SidecarApp", NAME_LABEL: "owner"}
BELONGS = "belongs to no object of podpatterns.dev"
MUST_BE = f"must be created with the labels {KIND_LABEL} and {NAME_LABEL}"
GIVEN = "may be given to no object but one of podpatterns.dev"
CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}

CONFIG_MAPS = f"/api/v1/namespaces/{OPEN}/configmaps"
CLAIMS = f"/api/v1/namespaces/{OPEN}/persistentvolumeclaims"
REVISIONS = f"/apis/apps/v1/namespaces/{OPEN}/controllerrevisions"


@pytest.fixture(scope="module")
def owners(control_plane: ControlPlane, operator: Impersonated) -> Iterator[dict[str, Object]]:
    """Controller references to an object of ours, and to another one."""
    kubectl = Kubectl(control_plane.kubeconfig, OPEN)
    kubectl.apply({**HARMLESS, "metadata": {"name": "owner"}})
    kubectl("create", "configmap", "other")
    kinds = {"ours": (API_VERSION, "SidecarApp", "owner"), "other": ("v1", "ConfigMap", "other")}
    yield {
        key: {
            "apiVersion": version,
            "kind": kind,
            "name": name,
            "uid": kubectl.get(kind, name)["metadata"]["uid"],
            "controller": True,
        }
        for key, (version, kind, name) in kinds.items()
    }
    kubectl("delete", "sidecarapp/owner", "configmap/other", "--wait=false")


def pod(name: str, **metadata: Any) -> Object:
    spec = {"containers": [harmless()]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **metadata}, "spec": spec}


def config_map(name: str, **metadata: Any) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}}


def claim(name: str, **metadata: Any) -> Object:
    kind = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
    return {**kind, "metadata": {"name": name, **metadata}, "spec": CLAIM}


def revision(name: str, **metadata: Any) -> Object:
    kind = {"apiVersion": "apps/v1", "kind": "ControllerRevision"}
    return {**kind, "metadata": {"name": name, **metadata}, "data": {}, "revision": 1}


@pytest.fixture(scope="module")
def stored(
    control_plane: ControlPlane, operator: Impersonated, owners: dict[str, Object]
) -> Iterator[dict[str, str]]:
    """Objects that are there, by name, with their paths; the leash is in force."""
    ours, other = [owners["ours"]], [owners["other"]]
    objects = {
        "stranger": pod("stranger"),
        "others": pod("others", labels=LABELS, ownerReferences=other),
        "orphan": pod("orphan", labels=LABELS),
        "own": pod("own", labels=LABELS, ownerReferences=ours),
        "relabelled": pod("relabelled", ownerReferences=ours),
        "settings": config_map("settings"),
        "configuration": config_map("configuration", ownerReferences=ours),
        "data": claim("data"),
        "data-own": claim("data-own", labels=LABELS),
        "history": revision("history"),
        "history-own": revision("history-own", labels=LABELS, ownerReferences=ours),
    }
    kubectl = Kubectl(control_plane.kubeconfig, OPEN)
    kubectl.apply(*objects.values())
    uid = kubectl.get("pod", "stranger")["metadata"]["uid"]
    its_pod = {"apiVersion": "v1", "kind": "Pod", "name": "stranger", "uid": uid, "controller": True}
    objects["ephemeral"] = claim("ephemeral", ownerReferences=[its_pod])
    kubectl.apply(objects["ephemeral"])
    paths = {
        "Pod": pods(),
        "ConfigMap": CONFIG_MAPS,
        "PersistentVolumeClaim": CLAIMS,
        "ControllerRevision": REVISIONS,
    }
    stored = {name: f"{paths[obj['kind']]}/{name}" for name, obj in objects.items()}
    eventually(lambda: BELONGS in operator.request("DELETE", stored["stranger"]).message)
    yield stored
    rest = ("--wait=false", "--ignore-not-found")  # the claim of a Pod goes with it
    kubectl("delete", *rest, *(f"{obj['kind'].lower()}/{name}" for name, obj in objects.items()))


def owned(owner: Object | None) -> Object:
    return {"metadata": {"ownerReferences": [owner] if owner else []}}


LABELLED = {"metadata": {"labels": {"a": "b"}}}


@pytest.mark.parametrize("name", ["stranger", "others", "settings", "history"])
def test_what_it_did_not_make_it_neither_changes_nor_deletes(
    operator: Impersonated, stored: dict[str, str], name: str
) -> None:
    deleted = operator.request("DELETE", stored[name])
    changed = operator.request("PATCH", stored[name], LABELLED, MERGE_PATCH)

    assert BELONGS in deleted.message
    assert BELONGS in changed.message


@pytest.mark.parametrize("subresource", ["status", "resize"])
def test_subresources_of_pods_are_on_the_leash(
    operator: Impersonated, stored: dict[str, str], subresource: str
) -> None:
    assert (
        BELONGS
        in operator.request("PATCH", f"{stored['stranger']}/{subresource}", LABELLED, MERGE_PATCH).message
    )
    assert operator.request("PATCH", f"{stored['own']}/{subresource}", LABELLED, MERGE_PATCH).ok


@pytest.mark.parametrize("name", ["own", "configuration", "history-own"])
def test_what_it_made_it_changes_and_deletes(
    operator: Impersonated, stored: dict[str, str], name: str
) -> None:
    for answer in (
        operator.request("PATCH", stored[name], LABELLED, MERGE_PATCH),
        operator.request("DELETE", stored[name]),
    ):
        assert answer.ok, answer.message


def test_it_adopts_orphans_and_releases_what_lost_its_labels(
    operator: Impersonated, stored: dict[str, str], owners: dict[str, Object]
) -> None:
    for name, owner in (("orphan", owners["ours"]), ("relabelled", None)):
        answer = operator.request("PATCH", stored[name], owned(owner), MERGE_PATCH)
        assert answer.ok, answer.message


def test_it_gives_nothing_to_others(
    operator: Impersonated, stored: dict[str, str], owners: dict[str, Object]
) -> None:
    for name in ("own", "orphan", "configuration"):
        assert GIVEN in operator.request("PATCH", stored[name], owned(owners["other"]), MERGE_PATCH).message
    assert (
        BELONGS in operator.request("PATCH", stored["stranger"], owned(owners["ours"]), MERGE_PATCH).message
    )


def test_a_claim_needs_no_owner_or_goes_with_its_pod(operator: Impersonated, stored: dict[str, str]) -> None:
    its_pod = {"apiVersion": "v1", "kind": "Pod", "name": "own", "uid": "1", "controller": True}

    assert operator.create(CLAIMS, claim("new", labels=LABELS)).ok
    assert MUST_BE in operator.create(CLAIMS, claim("new")).message
    assert operator.request("PATCH", stored["data-own"], owned(its_pod), MERGE_PATCH).ok
    for name in ("data", "ephemeral"):
        assert BELONGS in operator.request("PATCH", stored[name], owned(its_pod), MERGE_PATCH).message
    assert GIVEN in operator.request("PATCH", stored["own"], owned(its_pod), MERGE_PATCH).message


def test_what_it_creates_names_its_owner(
    operator: Impersonated, stored: dict[str, str], owners: dict[str, Object]
) -> None:
    ours, other = owners["ours"], owners["other"]
    for path, create in ((pods(), pod), (CONFIG_MAPS, config_map), (REVISIONS, revision)):
        for metadata in (
            {},
            {"labels": LABELS},
            {"ownerReferences": [ours]},
            {"labels": LABELS, "ownerReferences": [other]},
            {"labels": LABELS, "ownerReferences": [{**ours, "controller": False}]},
            {"labels": {**LABELS, NAME_LABEL: "else"}, "ownerReferences": [ours]},
            {"labels": {**LABELS, KIND_LABEL: "Deployment"}, "ownerReferences": [ours]},
        ):
            assert MUST_BE in operator.create(path, create("new", **metadata)).message, metadata
        answer = operator.create(path, create("new", labels=LABELS, ownerReferences=[ours]))
        assert answer.ok, answer.message


def test_namespaces_of_kubernetes_are_not_its_business(
    operator: Impersonated, stored: dict[str, str], owners: dict[str, Object]
) -> None:
    made = pod("new", labels=LABELS, ownerReferences=[owners["ours"]])

    answer = operator.create(pods("kube-system"), made)

    assert "the operator may write nothing in namespace kube-system" in answer.message


def test_others_are_on_no_leash(control_plane: ControlPlane, stored: dict[str, str]) -> None:
    Kubectl(control_plane.kubeconfig, OPEN)("label", "pod/stranger", "a=b", "--dry-run=server")
