"""Objects that pass the schema and still can't work.

They are told with the field, no Pod is touched, and all is well when they are corrected.
"""

from __future__ import annotations

from typing import Any

import pytest

from testbed.eventually import eventually
from tests.integration.controller.sites import Sites

WEB = {"name": "web", "image": "web:1"}
HELPER = {"name": "helper", "image": "helper:1"}


def template(*containers: dict[str, Any]) -> dict[str, Any]:
    return {"spec": {"containers": list(containers), "terminationGracePeriodSeconds": 1}}


BAD: list[Any] = [
    pytest.param(
        {"template": template({**WEB, "volumeMounts": [{"name": "contnet", "mountPath": "/x"}]})},
        "InvalidSpec",
        'spec.template.spec.containers[0].volumeMounts[0].name: no volume is named "contnet"',
        id="a mount of an unknown volume",
    ),
    pytest.param(
        {"template": template(WEB, HELPER)},
        "InvalidSpec",
        'spec.template.spec.containers[1].name: "helper" is taken by spec.sidecars[0]',
        id="two containers of one name",
    ),
    pytest.param(
        {"template": template()},
        "InvalidSpec",
        "spec.template.spec.containers: the application has no container",
        id="no container",
    ),
    pytest.param(
        {"sharedVolumes": [{"name": "c", "mountPath": "/c", "mounts": [{"container": "wbe"}]}]},
        "InvalidSpec",
        'spec.sharedVolumes[0].mounts[0].container: no container is named "wbe"',
        id="a shared volume in an unknown container",
    ),
    pytest.param(
        {
            "template": template({**WEB, "ports": [{"containerPort": 80}]}),
            "sidecars": [{**HELPER, "ports": [{"containerPort": 80}]}],
        },
        "PortsConflict",
        "port 80 is taken by",
        id="two containers on one port",
    ),
    pytest.param(
        {"include": [{"kind": "SidecarApp", "name": "nobody"}]},
        "PartNotFound",
        'spec.include[0]: there is no SidecarApp "nobody"',
        id="a part that does not exist",
    ),
]


@pytest.mark.parametrize(("spec", "reason", "message"), BAD)
def test_bad_from_the_start(sites: Sites, spec: dict[str, Any], reason: str, message: str) -> None:
    sites.apply(**spec)
    ready = eventually(lambda: sites.condition("Ready"))
    assert (ready["status"], ready["reason"]) == ("False", reason)
    assert message in ready["message"]
    assert sites.pods() == []
    assert any(r == reason and message in m for r, m in eventually(sites.events))
    sites.ready()


@pytest.mark.parametrize(("spec", "reason", "message"), BAD[:2])
def test_pods_are_kept_and_scaled_at_the_last_good_revision(
    sites: Sites, spec: dict[str, Any], reason: str, message: str
) -> None:
    sites.ready(replicas=2)
    before, good = sites.uids(), sites.get()["status"]["updateRevision"]
    sites.apply(replicas=3, **spec)
    eventually(lambda: sites.condition("Ready"), until=lambda c: c.get("reason") == reason)
    eventually(lambda: sites.uids().keys(), until=lambda names: names == {"site-0", "site-1", "site-2"})
    assert sites.uids().items() >= before.items()
    now = sites.uids()
    sites.kubectl("delete", "pod", "site-1", "site-2", "--wait=false")
    sites.replaced(now, "site-1", "site-2")
    assert {f"site-{p['metadata']['labels']['podpatterns.dev/revision']}" for p in sites.pods()} == {good}
    sites.apply(replicas=1, **spec)
    eventually(sites.uids, until=lambda left: left == {"site-0": before["site-0"]})
    eventually(sites.get, until=lambda site: site["status"]["readyReplicas"] == 1)
    assert sites.condition("Ready")["reason"] == reason
    sites.ready(replicas=1)
    assert sites.uids() == {"site-0": before["site-0"]}, "the correction is the old spec again"


def test_a_missing_part_arrives(sites: Sites) -> None:
    include = [{"kind": "SidecarApp", "name": "part"}]
    sites.apply(include=include)
    eventually(lambda: sites.condition("Ready"), until=lambda c: c.get("reason") == "PartNotFound")
    sites.apply_part("part", image="part:1")
    sites.wait_until_ready()
