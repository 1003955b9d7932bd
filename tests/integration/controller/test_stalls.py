"""A part of the operator stands still: probes say so, and what others can make up for they do."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.cluster.control_plane import ControlPlane
from testbed.cluster.operator_process import OperatorProcess
from testbed.eventually import eventually
from tests.integration.controller.sites import Sites


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ("blocked_loop", "no answer"),
        ("stuck_reconcile", "503 reconcile: overdue"),
        ("stuck_watch", "503 watch of /api/v1/pods: overdue"),
    ],
)
def test_liveness_fails_when_something_stands_still(
    sites: Sites, variant: Callable[..., OperatorProcess], part: str, says: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/healthz"
    variant(part, f"--health-probe-bind-address=127.0.0.1:{port}")
    sites.ready("well")
    assert probe(url) == "200 ok"
    sites.apply(part.replace("_", "-"))
    eventually(lambda: probe(url), 60, until=lambda answer: answer.startswith(says))


def probe(url: str) -> str:
    """Status and text of the answer, as a kubelet would see it."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 (our own)
            return f"{answer.status} {answer.read().decode().strip()}"
    except urllib.error.HTTPError as error:
        with error:
            return f"{error.code} {error.read().decode().strip()}"
    except OSError:
        return "no answer"


def test_whole_lists_find_what_events_missed(sites: Sites, variant: Callable[..., OperatorProcess]) -> None:
    """kopf hears nothing at all (nolar/kopf#1276): what comes, changes and goes is noticed all the same."""
    variant("silent_kopf")
    sites.ready(replicas=1)
    sites.ready(replicas=2)
    sites.kubectl("delete", "sidecarapp", "site")
    sites.wait_until_collected()
    sites.ready("another")
    assert sites.pods() == [], "the deleted object's Pods don't come back"


def test_a_leader_that_stood_still_writes_nothing_when_it_goes_on(
    sites: Sites,
    variant: Callable[..., OperatorProcess],
    control_plane: ControlPlane,
    tmp_path: Path,
) -> None:
    """Somebody else leads by then, and the witness counts the Pods."""
    frozen = variant("frozen_look")
    second = OperatorProcess(control_plane.operator_kubeconfig, tmp_path, "operator-1")
    second.start(leading=False)
    try:
        sites.ready("frozen", podNaming="Generated")
        eventually(lambda: frozen.ended)
        assert len(sites.pods("frozen")) == 1
    finally:
        second.stop()
