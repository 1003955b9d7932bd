"""Restart of all Pods by an annotation of the template, under the update strategy."""

from __future__ import annotations

from typing import Any

from testbed.cluster.kubectl import Kubectl
from testbed.eventually import eventually
from tests.integration.controller.sites import Sites

KEY = "kubectl.kubernetes.io/restartedAt"


def test_pods_are_replaced_and_a_rollback_goes_past_a_restart(
    sites: Sites, kubectl: Kubectl, podpatterns: Any
) -> None:
    before = sites.ready(replicas=2)
    uids = sites.uids()
    said = podpatterns("restart", "site").output
    assert said == "sidecarapp/site restarted: its 2 Pods are replaced, 1 at a time\n"
    sites.replaced(uids, *uids)
    sites.wait_until_ready()
    [time] = {pod["metadata"]["annotations"][KEY] for pod in sites.pods()}
    assert time.endswith("Z")
    [writer] = [
        entry["manager"]
        for entry in kubectl.get("sidecarapp", "site", "--show-managed-fields")["metadata"]["managedFields"]
        if KEY in str(entry["fieldsV1"].get("f:spec"))
    ]
    assert writer == "podpatterns-cli"
    assert (
        "SuccessfulDelete",
        f"Deleted 1 Pod: site-1 (Outdated: metadata.annotations[{KEY}])",
    ) in sites.events()

    sites.ready(replicas=2, image="web:2")
    assert sites.pods()[0]["metadata"]["annotations"][KEY] == time, "applying a manifest keeps it"
    podpatterns("rollback", "site", "--to-revision", "1")
    sites.wait_until_ready()
    after = sites.pods()
    assert [p["metadata"]["labels"] for p in after] == [p["metadata"]["labels"] for p in before]
    assert not any(KEY in p["metadata"].get("annotations", {}) for p in after)


def test_the_update_strategy_holds(sites: Sites, podpatterns: Any) -> None:
    sites.ready(replicas=2, updateStrategy={"partition": 1})
    uids = sites.uids()
    assert podpatterns("restart", "site").output.startswith("sidecarapp/site restarted: 1 of its 2 Pods")
    sites.replaced(uids, "site-1")
    eventually(lambda: sites.condition("Progressing"), until=lambda c: c.get("reason") == "PartitionReached")
    assert sites.uids()["site-0"] == uids["site-0"]


def test_a_part_has_no_pods_to_restart(sites: Sites, podpatterns: Any) -> None:
    sites.apply_part("git-sync", image="git-sync:1")
    refused = podpatterns("restart", "git-sync")
    assert refused.exit_code == 2
    assert "is a part" in refused.output


def test_another_order_of_variables_restarts_nothing(sites: Sites) -> None:
    def template(*names: str) -> dict[str, Any]:
        env = [{"name": name, "value": "1"} for name in names]
        web = {"name": "web", "image": "web:1", "env": env}
        return {"spec": {"containers": [web], "terminationGracePeriodSeconds": 1}}

    for strategy in ({"type": "InPlaceIfPossible"}, {"type": "Recreate"}):
        before = sites.ready(replicas=2, template=template("A", "B"), updateStrategy=strategy)
        after = sites.ready(replicas=2, template=template("B", "A"), updateStrategy=strategy)
        for old, new in zip(before, after, strict=True):
            assert new["metadata"]["uid"] == old["metadata"]["uid"]
            assert new["metadata"]["generation"] == old["metadata"]["generation"]
