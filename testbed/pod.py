"""Fields of a Pod, as `kubectl get pod --output=json` has them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from testbed.cluster.kubectl import Kubectl

Pod = dict[str, Any]


def pod(kubectl: Kubectl, name: str) -> Pod:
    """The Pod of that name; an empty one when there is none."""
    found = kubectl("get", "pod", name, "--ignore-not-found", "--output=json")
    return json.loads(found) if found else {}


def uid(pod: Pod) -> str:
    return str(pod.get("metadata", {}).get("uid", ""))


def ready(pod: Pod) -> bool:
    """All its containers are, and it isn't about to go."""
    conditions = pod.get("status", {}).get("conditions", ())
    leaves = "deletionTimestamp" in pod.get("metadata", {})
    return not leaves and any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def controllers(pod: Pod) -> list[str]:
    """The UIDs of the owners that control it. There should be just one."""
    owners = pod["metadata"].get("ownerReferences", ())
    return [owner["uid"] for owner in owners if owner.get("controller")]


def effective_capabilities(kubectl: Kubectl, pod_name: str, container: str) -> int:
    """CapEff of the container's first process, a set of bits (capabilities(7))."""
    status = kubectl("exec", pod_name, f"--container={container}", "--", "cat", "/proc/1/status")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:")), 16)
