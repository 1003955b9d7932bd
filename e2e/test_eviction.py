"""A Pod that the kubelet evicts comes back, with its reason in the record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from testbed.eventually import eventually
from testbed.manifests import container, sidecarapp
from testbed.pod import pod, ready, uid

if TYPE_CHECKING:
    from testbed.cluster.kubectl import Kubectl

pytestmark = pytest.mark.usefixtures("operator")

EVICTED_TIMEOUT = 120.0
"""Seconds. The kubelet of the cluster measures volumes every ten."""


def test_a_pod_whose_shared_volume_outgrows_its_limit_is_replaced(kubectl: Kubectl) -> None:
    kubectl.apply(
        sidecarapp(
            "glutton",
            container("app"),
            sharedVolumes=[{"name": "spool", "mountPath": "/spool", "sizeLimit": "1Mi"}],
        )
    )
    kubectl("wait", "--for=condition=Ready", "sidecarapp/glutton", "--timeout=60s")
    old = uid(pod(kubectl, "glutton-0"))

    kubectl("exec", "glutton-0", "--", "dd", "if=/dev/zero", "of=/spool/backlog", "bs=1M", "count=8")

    eventually(
        lambda: pod(kubectl, "glutton-0"),
        EVICTED_TIMEOUT,
        until=lambda new: uid(new) not in ("", old) and ready(new),
    )
    record = _record(kubectl, "glutton")
    assert (record["oldUID"], record["reason"]) == (old, "Evicted")
    assert kubectl("exec", "glutton-0", "--", "ls", "/spool") == ""


def _record(kubectl: Kubectl, name: str) -> dict[str, Any]:
    """The one replacement that status tells of."""
    status: dict[str, Any] = eventually(
        lambda: kubectl.get("sidecarapp", name)["status"], 30, until=lambda s: "recentReplacements" in s
    )
    [record] = status["recentReplacements"]
    return dict(record)
