"""An API server with too much to do says so with 429 and Retry-After: it is left alone for so long."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest

from testbed.cluster.control_plane import ControlPlane
from testbed.cluster.operator_process import OperatorProcess
from testbed.eventually import eventually
from testbed.faults import Fault, Proxy, Route
from tests.integration.controller.hostile import Writes
from tests.integration.controller.sites import Sites

RETRY_AFTER = 1
AT_ONCE = 0.2
"""Seconds."""
OVERLOADED = (429, "TooManyRequests")


@dataclass
class Storm:
    """Of each sort of write every second one is refused; Leases are let through."""

    resources: tuple[str, ...]
    asked: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    refused: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """When, in monotonic seconds."""

    def request(self, route: Route) -> Fault:
        if route.verb in ("get", "list", "continue", "watch") or route.resource not in self.resources:
            return Fault()
        self.asked[route.resource] += 1
        if self.asked[route.resource] % 2 == 0:
            return Fault()
        self.refused[route.resource].append(time.monotonic())
        return Fault(kind="refuse", refusal=OVERLOADED, retry_after=RETRY_AFTER)


@dataclass
class Refusal:
    """All writes of one resource in a namespace are refused."""

    resource: str
    namespace: str
    asked: list[float] = field(default_factory=list)
    """When, in monotonic seconds."""

    def request(self, route: Route) -> Fault:
        here = (route.resource, route.namespace) == (self.resource, self.namespace)
        if route.verb in ("get", "list", "continue", "watch") or not here:
            return Fault()
        self.asked.append(time.monotonic())
        return Fault(kind="refuse", refusal=OVERLOADED, retry_after=RETRY_AFTER)


@pytest.fixture
def proxy(operator: OperatorProcess, control_plane: ControlPlane, tmp_path: Path) -> Iterator[Proxy]:
    """An operator runs behind it, in place of the usual one."""
    operator.stop()
    with Proxy(control_plane.operator_kubeconfig, tmp_path, kill=lambda: None) as proxy:
        behind = OperatorProcess(proxy.kubeconfig, tmp_path)
        behind.start()
        yield proxy
        proxy.faults = None
        behind.stop()
    operator.start()


def test_refusals_make_no_writes_of_their_own(
    sites: Sites, proxy: Proxy, control_plane: ControlPlane
) -> None:
    sites.ready()
    writes = Writes(control_plane, sites.kubectl.namespace)
    proxy.faults = storm = Storm(("pods",))
    sites.apply(replicas=8)
    sites.wait_until_ready()
    assert len(storm.refused["pods"]) > 2
    statuses = writes.of("patch", "sidecarapps/status")
    assert not [e for e in statuses if "TooManyRequests" in str(e.get("requestObject"))]
    assert not [message for reason, message in sites.events() if "TooManyRequests" in message]


@pytest.mark.parametrize("resource", ["pods", "sidecarapps/status", "controllerrevisions"])
def test_it_is_left_alone_for_as_long_as_it_asks(sites: Sites, proxy: Proxy, resource: str) -> None:
    sites.ready()
    proxy.faults = refusal = Refusal(resource, sites.kubectl.namespace)
    sites.apply(replicas=2, image="web:2", updateStrategy={"type": "Recreate"})
    eventually(lambda: len(refusal.asked) >= 6)
    gaps = [later - earlier for earlier, later in pairwise(refusal.asked)]
    # What was under way already when the first refusal came belongs to it.
    assert not [gap for gap in gaps if AT_ONCE < gap < 0.9 * RETRY_AFTER], gaps
    proxy.faults = None
    sites.wait_until_ready()
