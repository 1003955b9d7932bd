"""Work that ends: it completes or fails as a Job does, and a change of the template runs it again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from testbed.cluster.kstatus import kstatus
from testbed.cluster.kubectl import Kubectl
from testbed.cluster.operator_process import OperatorProcess
from testbed.eventually import eventually
from tests.integration.controller.sites import Sites

LONG = "1h"


def work(
    image: str = "web:1",
    *,
    works_for: str = "200ms",
    policy: str = "Never",
    tolerations: Sequence[str] = ("b", "a"),
) -> dict[str, Any]:
    """A template whose Pods end by themselves."""
    return {
        "metadata": {"annotations": {"test.example/works-for": works_for}},
        "spec": {
            "restartPolicy": policy,
            "containers": [{"name": "web", "image": image}],
            "terminationGracePeriodSeconds": 1,
            "tolerations": [{"key": key, "operator": "Exists"} for key in tolerations],
        },
    }


def wait_for(kubectl: Kubectl, condition: str) -> None:
    kubectl("wait", "sidecarapp/site", f"--for=condition={condition}", "--timeout=60s")


def counts(sites: Sites) -> tuple[int, int]:
    status = sites.get()["status"]
    return status["succeeded"], status["failed"]


def phases(sites: Sites) -> dict[str, str]:
    return {pod["metadata"]["name"]: pod["status"]["phase"] for pod in sites.pods()}


def test_it_completes_and_stays_so_until_it_is_changed(
    sites: Sites, kubectl: Kubectl, operator: OperatorProcess
) -> None:
    sites.apply(replicas=3, template=work())
    wait_for(kubectl, "Complete")
    before = sites.uids()
    assert phases(sites) == dict.fromkeys(["site-0", "site-1", "site-2"], "Succeeded")
    assert counts(sites) == (3, 0)
    assert [judgement.status for judgement in kstatus([sites.get()])] == ["Current"]
    # A finished Pod goes with its node, say. The operator knows that its work is done, also after a restart.
    kubectl("delete", "pod", "site-1")
    operator.restart()
    kubectl("scale", "sidecarapp/site", "--replicas=4")
    eventually(lambda: phases(sites).get("site-3"), until=lambda phase: phase == "Succeeded")
    wait_for(kubectl, "Complete")
    del before["site-1"]
    assert sites.uids().keys() == {*before, "site-3"}
    assert before.items() <= sites.uids().items()
    # The same in another order is the same work.
    before, revision = sites.uids(), sites.get()["status"]["updateRevision"]
    sites.apply(replicas=4, template=work(tolerations=("a", "b")))
    eventually(sites.get, until=lambda site: site["status"]["currentRevision"] not in ("", revision))
    wait_for(kubectl, "Complete")
    assert (sites.uids(), counts(sites)) == (before, (4, 0))
    # Another revision is other work.
    sites.apply(replicas=4, template=work("web:2"))
    eventually(
        lambda: {p["metadata"]["name"]: p["spec"]["containers"][0]["image"] for p in sites.pods()},
        until=lambda images: images == {f"site-{i}": "web:2" for i in range(4)},
    )
    wait_for(kubectl, "Complete")
    assert counts(sites) == (4, 0)
    assert not before.items() & sites.uids().items()


def test_it_fails_after_its_retries_and_keeps_the_failed_pod(
    sites: Sites, kubectl: Kubectl, operator: OperatorProcess
) -> None:
    sites.apply(backoffLimit=1, template=work("web:failing"))
    eventually(sites.get, until=lambda site: site["status"].get("failed", 0) == 1)
    operator.restart()
    wait_for(kubectl, "Failed")
    failed = sites.get()
    assert counts(sites) == (0, 2)
    assert sites.condition("Ready")["reason"] == "BackoffLimitExceeded"
    assert [judgement.status for judgement in kstatus([failed])] == ["Failed"]
    assert phases(sites) == {"site-0": "Failed"}, "somebody wants to read its log"
    sites.apply(backoffLimit=1, template=work("web:2"))
    wait_for(kubectl, "Complete")
    assert counts(sites) == (1, 0)


def test_restarts_of_containers_are_retries_and_what_runs_then_is_ended(
    sites: Sites, kubectl: Kubectl
) -> None:
    sites.ready(replicas=2, backoffLimit=1, template=work(works_for=LONG, policy="OnFailure"))
    assert [judgement.status for judgement in kstatus([sites.get()])] == ["Current"], "it works"
    [first, _] = sites.pods()
    statuses = [{**status, "restartCount": 2} for status in first["status"]["containerStatuses"]]
    patch = f"--patch={json.dumps({'status': {'containerStatuses': statuses}})}"
    kubectl("patch", "pod", "site-0", "--subresource=status", "--type=merge", patch)
    wait_for(kubectl, "Failed")
    eventually(sites.pods, until=lambda pods: not pods)
    assert counts(sites) == (0, 0)
    sites.apply(replicas=2, template=work("web:2"))
    wait_for(kubectl, "Complete")
