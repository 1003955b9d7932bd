"""Paused, OnDelete and partition hold a rollout back, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from chaos.api import Api
from testbed.cluster.control_plane import ControlPlane
from testbed.cluster.kubectl import Kubectl
from testbed.eventually import eventually
from tests.integration.controller.sites import Sites, sidecarapp


def images(sites: Sites, name: str = "site") -> list[str]:
    return [pod["spec"]["containers"][0]["image"] for pod in sites.pods(name)]


def observed(sites: Sites) -> None:
    """The operator knows the newest generation."""
    eventually(
        sites.get,
        until=lambda s: s.get("status", {}).get("observedGeneration") == s["metadata"]["generation"],
    )


def test_a_pod_that_had_the_new_revision_comes_back_with_it(sites: Sites, kubectl: Kubectl) -> None:
    sites.ready(replicas=2)
    sites.apply(replicas=2, image="web:2", updateStrategy={"type": "Recreate", "partition": 1})
    eventually(lambda: sites.condition("Progressing"), until=lambda c: c.get("reason") == "PartitionReached")
    assert images(sites) == ["web:1", "web:2"]
    sites.apply(replicas=2, image="web:2", updateStrategy={"type": "Recreate", "paused": True})
    eventually(lambda: sites.condition("Progressing"), until=lambda c: c.get("reason") == "Paused")
    before = sites.uids()
    kubectl("delete", "pod", "site-0", "site-1")
    sites.replaced(before, "site-0", "site-1")
    assert images(sites) == ["web:1", "web:2"]


@pytest.mark.parametrize(
    "hold",
    [{"paused": True}, {"type": "OnDelete"}, {"partition": 5}],
    ids=["paused", "OnDelete", "partition"],
)
def test_a_surge_that_is_held_back_is_scaled_down(sites: Sites, hold: dict[str, Any]) -> None:
    strategy = {"type": "Recreate", "maxSurge": 2, "maxUnavailable": 0}
    sites.ready(replicas=5, podNaming="Generated", updateStrategy=strategy)
    before = sites.uids()
    held = {**strategy, **hold}
    sites.apply(replicas=5, podNaming="Generated", updateStrategy=held, image="web:2")
    observed(sites)
    assert sites.uids() == before
    sites.apply(replicas=3, podNaming="Generated", updateStrategy=held, image="web:2")
    eventually(sites.uids, until=lambda now: len(now) == 3)
    assert sites.uids().items() <= before.items()


def test_a_partition_that_comes_right_after_the_creation_holds(
    sites: Sites, control_plane: ControlPlane, namespace: str
) -> None:
    """Before any status was written, as with a file of a site and a patch of it right behind."""
    api = Api(control_plane, namespace)
    for name in ("red", "green", "blue"):
        api.apply(sidecarapp(name, replicas=4, updateStrategy={"type": "Recreate"}))
        eventually(api.pods, until=lambda pods: any(p["metadata"]["name"].startswith(name) for p in pods))  # noqa: B023 (called at once)
        api.apply(
            sidecarapp(name, replicas=4, image="web:2", updateStrategy={"type": "Recreate", "partition": 4})
        )
    for name in ("red", "green", "blue"):
        eventually(
            lambda: sites.get(name).get("status", {}),  # noqa: B023 (called at once)
            until=lambda s: (s.get("availableReplicas"), s.get("observedGeneration")) == (4, 2),
        )
        assert set(images(sites, name)) == {"web:1"}, name
        before = sites.uids(name)
        sites.kubectl("delete", "pod", f"{name}-0")
        eventually(
            lambda: sites.uids(name),  # noqa: B023 (called at once)
            until=lambda now: now.keys() == before.keys() and now != before,  # noqa: B023 (called at once)
        )
        assert set(images(sites, name)) == {"web:1"}, name
