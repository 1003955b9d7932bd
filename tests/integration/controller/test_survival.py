"""Restarts, failovers and successors of the operator."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from testbed.cluster.control_plane import ControlPlane
from testbed.cluster.kubectl import Kubectl
from testbed.cluster.operator_process import OperatorProcess
from testbed.eventually import eventually
from testbed.faults import Fault, Proxy, Route, StreamFault
from tests.integration.controller.sites import Sites


def versions(kubectl: Kubectl) -> dict[str, str]:
    """Every object of the namespace that the operator could write, by kind and name."""
    items: list[dict[str, Any]] = kubectl.get("pods,sidecarapps,events")["items"]
    return {f"{i['kind']} {i['metadata']['name']}": i["metadata"]["resourceVersion"] for i in items}


def test_a_restart_of_an_idle_operator_writes_nothing(
    sites: Sites, operator: OperatorProcess, kubectl: Kubectl
) -> None:
    sites.apply_part("part", image="part:1")
    sites.ready(replicas=3, include=[{"kind": "SidecarApp", "name": "part"}])
    eventually(sites.events, until=lambda events: len(events) == 1)
    before = versions(kubectl)
    operator.restart()
    # A change after the restart shows that the operator has looked at everything in the namespace.
    sites.ready("other")
    after = versions(kubectl)
    assert {k: v for k, v in after.items() if k in before} == before


def test_pods_deleted_and_specs_edited_while_it_is_away(
    sites: Sites, operator: OperatorProcess, kubectl: Kubectl
) -> None:
    sites.ready("edited", replicas=2)
    sites.ready("robbed", replicas=2)
    robbed = sites.uids("robbed")
    operator.kill()
    kubectl("delete", "pod", "robbed-1")
    sites.apply("edited", replicas=3)
    sites.apply("added")
    operator.start()
    for name in ("edited", "robbed", "added"):
        sites.wait_until_ready(name)
    assert len(sites.pods("edited")) == 3
    now = sites.uids("robbed")
    assert now.keys() == robbed.keys()
    assert now["robbed-0"] == robbed["robbed-0"]
    assert now["robbed-1"] != robbed["robbed-1"]


def test_an_object_deleted_while_it_is_away_takes_its_pods_along(
    sites: Sites, operator: OperatorProcess, kubectl: Kubectl
) -> None:
    sites.ready(replicas=2)
    operator.kill()
    kubectl("delete", "sidecarapp", "site")
    sites.wait_until_collected()
    operator.start()


def test_the_api_server_restarts(
    sites: Sites, operator: OperatorProcess, control_plane: ControlPlane, kubectl: Kubectl
) -> None:
    sites.ready(replicas=2)
    before = sites.uids()
    control_plane.restart("kube-apiserver")
    # Where that takes longer than the Lease lasts, the operator has ended.
    with operator.kept_running():
        # kube-scheduler ends itself when it finds a Pod replaced while it was cut off: let it catch up first.
        sites.ready("another")
    kubectl("delete", "pod", "site-0")
    eventually(
        sites.uids, until=lambda now: now.keys() == before.keys() and now["site-0"] != before["site-0"]
    )
    sites.ready(replicas=3)
    assert sites.uids()["site-1"] == before["site-1"]


@pytest.mark.parametrize(("end", "within"), [("kill", 15.0), ("stop", 2.0)])
def test_a_second_operator_takes_over(
    sites: Sites,
    operator: OperatorProcess,
    control_plane: ControlPlane,
    tmp_path: Path,
    end: str,
    within: float,
) -> None:
    second = OperatorProcess(control_plane.operator_kubeconfig, tmp_path, "operator-1")
    second.start(leading=False)
    try:
        sites.ready("first")
        getattr(operator, end)()
        ended = datetime.now(UTC)
        lease = eventually(
            lambda: lease_of(sites.kubectl), within, until=lambda s: s.get("holderIdentity") == "operator-1"
        )
        took = (datetime.fromisoformat(lease["acquireTime"]) - ended).total_seconds()
        print(f"takeover {took:.2f} s after the end of the leader ({end})")
        assert took < within
        sites.ready("second")
    finally:
        second.stop()
        operator.stop()
        operator.start()


class Deaf:
    """Watches of Pods tell nothing, and their connections stay open."""

    def request(self, route: Route) -> Fault:
        deaf = (route.verb, route.resource) == ("watch", "pods")
        return Fault(stream=StreamFault("", 0, "hang") if deaf else None)


def test_a_successor_whose_watch_is_late_makes_no_pod_a_second_time(
    sites: Sites, operator: OperatorProcess, control_plane: ControlPlane, tmp_path: Path
) -> None:
    with Proxy(control_plane.operator_kubeconfig, tmp_path, kill=lambda: None) as proxy:
        proxy.faults = Deaf()
        second = OperatorProcess(proxy.kubeconfig, tmp_path, "operator-1")
        second.start(leading=False)
        try:
            sites.ready(replicas=20, podNaming="Generated")
            before = sites.uids()
            operator.kill()
            # A Pod of another object shows that it works; the first one's turn came before.
            sites.apply("another")
            eventually(lambda: sites.pods("another"))
            assert sites.uids() == before
        finally:
            second.stop()
            operator.stop()
            operator.start()


def test_a_leader_ends_when_another_one_takes_the_lease(sites: Sites, operator: OperatorProcess) -> None:
    sites.ready()
    lease = ("lease", "podpatterns-operator", "--namespace=kube-system")
    taken = '{"spec":{"holderIdentity":"another"}}'
    sites.kubectl("patch", *lease, "--type=merge", f"--patch={taken}")
    try:
        eventually(lambda: operator.ended, 5)
        assert "another holds the Lease" in operator.log_tail()
        assert lease_of(sites.kubectl)["holderIdentity"] == "another", "it is not given back"
    finally:
        sites.kubectl("delete", *lease)
        operator.stop()
        operator.start()


def lease_of(kubectl: Kubectl) -> dict[str, Any]:
    spec: dict[str, Any] = kubectl.get("lease", "podpatterns-operator", "--namespace=kube-system")["spec"]
    return spec
