"""The parts that have arrived in all Pods of an object."""

from __future__ import annotations

from typing import Any

import pytest

from podpatterns.compose.composition import PartVersion
from podpatterns.replicas.arrival import arrived, composed_parts, has_arrived

NEAR = PartVersion("SidecarApp", "shop", "git", 3)
FAR = PartVersion("Ambassador", "platform", "cache", 1)
COMPLETE = {"updateRevision": "site-b", "currentRevision": "site-b"}


def status(**fields: Any) -> dict[str, Any]:
    return {**COMPLETE, "parts": composed_parts([NEAR, FAR], "shop"), **fields}


def test_the_status_names_the_namespace_where_it_is_another() -> None:
    assert status()["parts"] == [
        {"kind": "SidecarApp", "name": "git", "generation": 3},
        {"kind": "Ambassador", "name": "cache", "namespace": "platform", "generation": 1},
    ]


def test_they_have_arrived_when_the_rollout_is_complete() -> None:
    assert arrived(status(), "shop") == {NEAR, FAR}
    assert has_arrived(status(), "shop", NEAR)
    assert has_arrived(status(), "shop", FAR)
    assert not has_arrived(status(), "shop", NEAR._replace(generation=4))
    assert not has_arrived(status(), "shop", FAR._replace(namespace="shop"))


@pytest.mark.parametrize(
    "fields",
    [
        {"currentRevision": "site-a"},
        {"updateRevision": None},
        {"parts": None},
        {"conditions": [{"type": "ConfigurationCurrent", "status": "False"}]},
    ],
)
def test_they_have_not_while_some_pod_or_helper_lags_behind(fields: dict[str, Any]) -> None:
    assert arrived(status(**fields), "shop") == frozenset()
    assert not has_arrived(status(**fields), "shop", NEAR)


def test_a_condition_that_is_unknown_keeps_nothing_back() -> None:
    conditions = [{"type": "ConfigurationCurrent", "status": "Unknown"}, {"type": "Ready", "status": "False"}]
    assert arrived(status(conditions=conditions), "shop") == {NEAR, FAR}
