"""The first things to read when a scenario on the cluster fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from testbed.cluster.kubectl import KubectlError
from testbed.release import DEPLOYMENT, NAMESPACE

if TYPE_CHECKING:
    from testbed.cluster.kubectl import Kubectl

LAST_EVENTS = 30
LAST_LINES = 30
"""Of the operator's log."""
POD_LOG_LINES = 4
"""Of each container's log."""


def diagnosis(kubectl: Kubectl) -> str:
    """The patterns, Pods, last events and logs of kubectl's namespace, and the end of the operator's log."""
    parts = {
        "kubectl get patterns": ["get", "patterns", "--output=wide"],
        "kubectl get pods": ["get", "pods", "--output=wide"],
        "kubectl get endpointslices": ["get", "endpointslices"],
        "kubectl events": ["events"],
        # A selector that all Pods fit: kubectl logs takes no namespace as a whole.
        "kubectl logs": [
            "logs",
            "--selector=!no-such-label",
            "--all-containers",
            "--ignore-errors",
            "--prefix",
            f"--tail={POD_LOG_LINES}",
        ],
        "the operator": ["get", "pods", f"--namespace={NAMESPACE}", "--output=wide"],
        "the operator's log": [
            "logs",
            f"--namespace={NAMESPACE}",
            f"deployment/{DEPLOYMENT}",
            f"--tail={LAST_LINES}",
        ],
    }
    return "\n".join(f"--- {title}\n{_ask(kubectl, arguments)}" for title, arguments in parts.items())


def _ask(kubectl: Kubectl, arguments: list[str]) -> str:
    try:
        answer = kubectl(*arguments)
    except KubectlError as error:
        return str(error)
    # kubectl events has no limit of its own.
    return "\n".join(answer.splitlines()[-LAST_EVENTS:]) if arguments == ["events"] else answer
