"""Identity and storage: a replaced Pod finds its data and its DNS name."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from testbed.cluster.kubectl import KubectlError
from testbed.eventually import eventually
from testbed.pod import pod, ready, uid
from testbed.website import EXAMPLES

if TYPE_CHECKING:
    from testbed.cluster.kubectl import Kubectl

pytestmark = pytest.mark.usefixtures("operator")


def test_a_replaced_pod_finds_its_data_and_its_name(kubectl: Kubectl) -> None:
    kubectl("apply", f"--filename={EXAMPLES / 'stateful.yaml'}")
    kubectl("wait", "--for=condition=Ready", "sidecarapp/store", "--timeout=90s")

    def redis(*command: str) -> str:
        """Ask store-0 by its DNS name, in the other Pod."""
        cli = ["redis-cli", "-h", "store-0.store", *command]
        return kubectl("exec", "store-1", "--container=redis", "--", *cli).strip()

    assert kubectl("exec", "store-0", "--container=redis", "--", "hostname").strip() == "store-0"
    assert redis("set", "kept", "yes") == "OK"
    before = pod(kubectl, "store-0")
    kubectl("delete", "pod", "store-0")
    eventually(
        lambda: pod(kubectl, "store-0"),
        60,
        until=lambda now: uid(now) not in ("", uid(before)) and ready(now),
    )

    def kept() -> str:
        with suppress(KubectlError):  # DNS has its former address for a while
            return redis("get", "kept")
        return ""

    eventually(kept, 90, until="yes".__eq__)
