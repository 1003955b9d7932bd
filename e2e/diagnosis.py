"""What one looks at first when a scenario on the cluster fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from e2e.cluster.kubectl import KubectlError
from e2e.release import DEPLOYMENT, NAMESPACE

if TYPE_CHECKING:
    from e2e.cluster.kubectl import Kubectl

EVENTS = 30
LOG_LINES = 30


def diagnosis(kubectl: Kubectl) -> str:
    """The patterns, Pods and last events of kubectl's namespace and the end of the operator's log."""
    parts = {
        "kubectl get patterns": ["get", "patterns", "--output=wide"],
        "kubectl get pods": ["get", "pods", "--output=wide"],
        "kubectl events": ["events"],
        "the operator": ["get", "pods", f"--namespace={NAMESPACE}", "--output=wide"],
        "the operator's log": [
            "logs",
            f"--namespace={NAMESPACE}",
            f"deployment/{DEPLOYMENT}",
            f"--tail={LOG_LINES}",
        ],
    }
    return "\n".join(f"--- {title}\n{_ask(kubectl, arguments)}" for title, arguments in parts.items())


def _ask(kubectl: Kubectl, arguments: list[str]) -> str:
    try:
        answer = kubectl(*arguments)
    except KubectlError as error:
        return str(error)
    return "\n".join(answer.splitlines()[-EVENTS:])
