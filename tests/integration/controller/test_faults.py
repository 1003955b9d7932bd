"""One fault at a time between the operator and the API server; `make chaos` mixes them."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from testbed import short_timeouts
from testbed.cluster.control_plane import ControlPlane
from testbed.cluster.kubectl import Kubectl
from testbed.cluster.operator_process import OperatorProcess
from testbed.eventually import eventually
from testbed.faults import Fault, Proxy, Route, StreamFault
from tests.integration.controller.sites import Sites


@pytest.fixture
def proxy(operator: OperatorProcess, control_plane: ControlPlane, tmp_path: Path) -> Iterator[Proxy]:
    """In place of the usual operator, `behind` runs behind it."""
    operator.stop()
    with Proxy(control_plane.operator_kubeconfig, tmp_path, kill=lambda: None) as proxy:
        yield proxy
    operator.start()


@pytest.fixture
def behind(proxy: Proxy, tmp_path: Path) -> Iterator[OperatorProcess]:
    """An operator with short timeouts."""
    command: list[str | Path] = [sys.executable, Path(short_timeouts.__file__), "run"]
    operator = OperatorProcess(proxy.kubeconfig, tmp_path, command=command)
    operator.start()
    yield operator
    proxy.faults = None
    operator.stop()


@dataclass
class Refuse:
    """All requests of a sort."""

    verb: str
    resource: str

    def request(self, route: Route) -> Fault:
        refused = (route.verb, route.resource) == (self.verb, self.resource)
        return Fault(kind="refuse", refusal=(500, "InternalError")) if refused else Fault()


@dataclass
class Silence:
    """The first watch of each resource tells nothing, and its connection stays open."""

    watches: Counter[str] = field(default_factory=Counter)

    def request(self, route: Route) -> Fault:
        if route.verb != "watch":
            return Fault()
        self.watches[route.resource] += 1
        first = self.watches[route.resource] == 1
        return Fault(stream=StreamFault("", 0, "hang") if first else None)


def test_a_replacement_is_recorded_although_no_status_could_be_written_meanwhile(
    sites: Sites, proxy: Proxy, behind: OperatorProcess
) -> None:
    sites.ready()
    before = sites.uids()
    proxy.faults = Refuse("patch", "sidecarapps/status")
    sites.kubectl("delete", "pod", "site-0")
    sites.replaced(before, "site-0")
    eventually(sites.pods, until=lambda pods: all(p["status"]["phase"] == "Running" for p in pods))
    written = sites.get()["status"]
    assert written["replacements"] == 0
    refused = proxy.requests
    eventually(lambda: proxy.requests > refused + 3)
    proxy.faults = None
    status = eventually(sites.get, until=lambda site: site["status"]["replacements"] == 1)["status"]
    [record] = status["recentReplacements"]
    assert (record["oldUID"], record["newUID"]) == (before["site-0"], sites.uids()["site-0"])


def test_watches_that_fall_silent_are_begun_anew(
    sites: Sites, proxy: Proxy, behind: OperatorProcess, kubectl: Kubectl
) -> None:
    """Ours of Pods and kopf's of our kinds (nolar/kopf#1276)."""
    sites.ready(replicas=2)
    before = sites.uids()
    proxy.faults = silence = Silence()
    proxy.reset_watches()
    eventually(lambda: silence.watches.keys() >= {"pods", "sidecarapps"})
    kubectl("delete", "pod", "site-1")
    sites.replaced(before, "site-1")
    sites.ready(replicas=3)
    assert silence.watches["pods"] > 1
    assert silence.watches["sidecarapps"] > 1


def test_a_pod_is_released_although_it_could_not_be_looked_at_at_first(
    sites: Sites, proxy: Proxy, behind: OperatorProcess, kubectl: Kubectl
) -> None:
    """Chaos seed 570."""
    sites.ready(podNaming="Generated")
    [name] = sites.uids()
    proxy.faults = Refuse("get", "pods")
    refused = proxy.requests
    kubectl("label", "pod", name, "podpatterns.dev/name-")
    eventually(lambda: proxy.requests > refused + 3)
    proxy.faults = None
    eventually(lambda: kubectl.get("pod", name)["metadata"], until=lambda meta: "ownerReferences" not in meta)
    sites.wait_until_ready()


@dataclass
class Unseen(Silence):
    """The first Pod's creation is not answered, nor does the watch of Pods tell of it."""

    created: bool = False

    def request(self, route: Route) -> Fault:
        if (route.verb, route.resource, self.created) == ("create", "pods", False):
            self.created = True
            return Fault(kind="gateway", late=2)
        return super().request(route) if route.resource == "pods" else Fault()


def test_a_pod_that_nobody_told_of_counts_although_its_name_is_not_wanted_any_more(
    sites: Sites, proxy: Proxy, behind: OperatorProcess
) -> None:
    """Else the witness sees two Pods (chaos seed 291)."""
    proxy.faults = unseen = Unseen()
    proxy.reset_watches()
    eventually(lambda: unseen.watches["pods"])
    sites.apply(podNaming="Stable")
    eventually(lambda: unseen.created)
    sites.apply(podNaming="Generated")
    sites.wait_until_ready()
    assert sites.uids().keys() == {"site-0"}


class Expire:
    """One watch of kopf's is refused as no server should, and its others break."""

    def request(self, route: Route) -> Fault:
        if route.verb != "watch" or route.resource == "pods":
            return Fault()
        expired = route.resource == "sidecarapps"
        return Fault(kind="refuse", refusal=(410, "Expired"), delay=1) if expired else Fault(kind="reset")


def test_an_operator_whose_kopf_gave_up_goes_on(
    sites: Sites, proxy: Proxy, behind: OperatorProcess, kubectl: Kubectl
) -> None:
    """Pods are kept meanwhile, and kopf is begun anew."""
    sites.ready()
    before, pid = sites.uids(), behind.pid
    proxy.faults = Expire()
    proxy.reset_watches()
    eventually(lambda: any(m["message"].startswith("kopf stopped") for m in behind.messages()))
    kubectl("delete", "pod", "site-0")
    sites.replaced(before, "site-0")
    proxy.faults = None
    sites.ready(replicas=2)
    assert (behind.pid, behind.ended) == (pid, False)
