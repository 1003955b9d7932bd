"""The readable part of an object without the form of its kind."""

from __future__ import annotations

from typing import Any

import pytest

from podpatterns.api.readable import readable


def obj(spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "podpatterns.dev/v1alpha1",
        "kind": "Adapter",
        "metadata": {"name": "site", "namespace": "ns", "uid": "uid-1", "generation": 3},
        "spec": spec,
    }


def test_how_pods_are_run_is_read_beside_fields_without_their_form() -> None:
    found = readable(
        obj(
            {
                "replicas": 3,
                "podNaming": "Generated",
                "updateStrategy": {"paused": True},
                "minReadySeconds": 1e21,
                "template": 7,
                "unknown": {},
            }
        )
    )
    assert found is not None
    assert (found.kind, found.metadata.name, found.metadata.uid) == ("Adapter", "site", "uid-1")
    assert (found.spec.replicas, found.spec.pod_naming) == (3, "Generated")
    assert found.spec.update_strategy.paused
    assert found.spec.min_ready_seconds == 0
    assert found.spec.template is None


def test_the_range_and_order_of_pods_is_read_and_what_becomes_of_claims() -> None:
    policy = {"whenScaled": "Delete"}
    found = readable(
        obj(
            {
                "ordinals": {"start": 5},
                "podManagementPolicy": "OrderedReady",
                "persistentVolumeClaimRetentionPolicy": policy,
                "volumeClaimTemplates": 7,
            }
        )
    )
    assert found is not None
    assert (found.spec.first_ordinal, found.spec.pod_management_policy) == (5, "OrderedReady")
    assert (found.spec.retention.when_scaled, found.spec.retention.when_deleted) == ("Delete", "Retain")
    assert found.spec.volume_claim_templates == ()


@pytest.mark.parametrize(
    "spec",
    [
        None,
        [],
        {"replicas": "three"},
        {"podNaming": "Free"},
        {"replicas": 1e21},
        {"ordinals": {"start": "five"}},
    ],
)
def test_without_count_or_names_there_is_nothing_to_go_by(spec: Any) -> None:
    assert readable(obj(spec)) is None
