"""Parts of other namespaces, and parts of parts, with the operator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from testbed.cluster.control_plane import ControlPlane
from testbed.cluster.kubectl import Kubectl
from testbed.cluster.namespace import own_namespace
from testbed.eventually import eventually
from testbed.manifests import manifest
from tests.integration.controller.sites import Sites


@pytest.fixture
def platform(control_plane: ControlPlane) -> Iterator[Kubectl]:
    """Another team's namespace."""
    with own_namespace(control_plane.kubeconfig, "platform", keep=False) as namespace:
        yield Kubectl(control_plane.kubeconfig, namespace)


def part(name: str, image: str, **spec: Any) -> dict[str, Any]:
    return manifest("SidecarApp", name, {"sidecars": [{"name": name, "image": image}], **spec})


def include(name: str, **fields: Any) -> dict[str, Any]:
    return {"kind": "SidecarApp", "name": name, **fields}


def images(sites: Sites) -> set[str]:
    return {c["image"] for pod in sites.pods() for c in pod["spec"]["initContainers"]}


def status_of(kubectl: Kubectl, name: str) -> dict[str, Any]:
    status: dict[str, Any] = kubectl.get("sidecarapp", name).get("status", {})
    return status


def test_a_part_is_shared_withdrawn_and_shared_again(
    sites: Sites, kubectl: Kubectl, platform: Kubectl, namespace: str
) -> None:
    def share(image: str, *namespaces: str) -> None:
        platform.apply(part("git", image, sharedWith={"namespaces": list(namespaces)}))

    share("git:1")
    sites.apply(replicas=2, include=[include("git", namespace=platform.namespace)])
    told = eventually(lambda: sites.condition("Ready"), until=lambda c: c.get("reason") == "PartNotShared")
    assert f"add {namespace} to its spec.sharedWith.namespaces" in told["message"]
    assert sites.pods() == []

    share("git:1", "elsewhere", namespace)
    sites.wait_until_ready()
    assert images(sites) == {"git:1", "helper:1"}
    used = eventually(lambda: status_of(platform, "git"), until=lambda s: s.get("updatedUsers") == 1)
    assert used["usedBy"] == [{"kind": "SidecarApp", "name": "site", "namespace": namespace}]
    assert used["users"] == 1

    share("git:2", "elsewhere")
    eventually(lambda: sites.condition("Ready"), until=lambda c: c.get("reason") == "PartNotShared")
    eventually(lambda: status_of(platform, "git"), until=lambda s: s.get("updatedUsers") == 0)
    before = sites.uids()
    kubectl("delete", "pod", "site-1")
    sites.replaced(before, "site-1")
    assert images(sites) == {"git:1", "helper:1"}, "the last good revision"

    share("git:2", namespace)
    sites.wait_until_ready()
    assert images(sites) == {"git:2", "helper:1"}
    eventually(lambda: status_of(platform, "git"), until=lambda s: s.get("updatedUsers") == 1)


def test_a_change_of_a_part_of_a_part_reaches_all_users(sites: Sites, kubectl: Kubectl) -> None:
    kubectl.apply(part("base", "base:1"), part("outer", "outer:1", include=[include("base")]))
    sites.ready(replicas=2, include=[include("outer")])
    assert images(sites) == {"base:1", "outer:1", "helper:1"}
    before = sites.uids()

    kubectl.apply(part("base", "base:2"))

    eventually(lambda: images(sites), until=lambda found: found == {"base:2", "outer:1", "helper:1"})
    sites.wait_until_ready()
    assert sites.uids() == before, "an image goes in place, in a part of a part too"
    used = eventually(lambda: status_of(kubectl, "base"), until=lambda s: s.get("updatedUsers") == 1)
    assert used["usedBy"] == [{"kind": "SidecarApp", "name": "outer"}]
    assert [p["name"] for p in sites.get()["status"]["parts"]] == ["base", "outer"]

    kubectl.apply(part("base", "base:2", include=[include("outer")]))

    def reasons() -> set[str]:
        return {
            c["reason"]
            for name in ("base", "outer", "site")
            for c in status_of(kubectl, name)["conditions"]
            if c["type"] == "Ready"
        }

    eventually(reasons, until=lambda found: found == {"InvalidSpec"})
    assert "which includes" in sites.condition("Ready")["message"]
