"""The unhealthy Pods, as a status names them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from podpatterns.api.text import listed
from podpatterns.compose import Composition
from podpatterns.replicas.pod import Pod

NAMES_SHOWN = 5
"""Pods named in a message; the counts tell of the others."""
NAMES_LENGTH = 500
"""Bytes of the list."""


def unhealthy(pods: Sequence[Pod], composition: Composition | None) -> str:
    """Return the unhealthy Pods, each with its reason, and the message of the first that has one."""
    found = sorted((p for p in pods if p.reason), key=lambda p: p.name)
    helpers = {file.container for file in composition.files if not file.altered} if composition else set()
    revision = composition.revision if composition else ""
    messages = (_message(p, helpers if p.is_of(revision) else ()) for p in found)
    first = next((f": {message}" for message in messages if message), "")
    named = [f"{p.name} ({_reason(p)})" for p in found[:NAMES_SHOWN]]
    return listed(named, NAMES_SHOWN, NAMES_LENGTH, total=len(found)) + first


def _reason(pod: Pod) -> str:
    told = [f"container {pod.container}"] if pod.container else []
    if pod.exit_code is not None:
        told.append(f"exit code {pod.exit_code}")
    return f"{pod.reason}: {', '.join(told)}" if told else pod.reason


def _message(pod: Pod, helpers: Collection[str]) -> str:
    """Return the node's and the API server's message, and the termination message of a helper.

    A termination message of a container that people wrote is for those who may read its Pod.
    """
    return "; ".join(filter(None, (pod.termination_message if pod.container in helpers else "", pod.message)))
