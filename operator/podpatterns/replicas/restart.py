"""Annotations of a template whose change restarts its Pods, as it does with a Deployment."""

from __future__ import annotations

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
"""Time of the last restart that a person asked for."""
CHECKSUM = "checksum"
"""Prefix under which Helm charts keep hashes of what their containers read: checksum/config."""


def restarts_pods(annotation: str) -> bool:
    """Return whether another value of the annotation means that the Pods are to start anew."""
    return annotation == RESTARTED_AT or annotation.startswith(f"{CHECKSUM}/")
