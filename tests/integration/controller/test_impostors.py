"""ControllerRevisions that the operator didn't make: they look like its own, and it runs none of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from podpatterns.cli import main
from testbed.cluster.control_plane import ControlPlane
from testbed.cluster.kubectl import Kubectl
from testbed.cluster.operator_process import OperatorProcess
from testbed.eventually import eventually
from testbed.hostile import EVIL_IMAGE, impostor
from tests.integration.controller.hostile import logged, unharmed
from tests.integration.controller.sites import Sites

Change = Callable[[dict[str, Any]], dict[str, Any]]


def nobodys(revision: dict[str, Any]) -> dict[str, Any]:
    return impostor(revision, "impostor")


def of_another_name(revision: dict[str, Any]) -> dict[str, Any]:
    return impostor(revision, "impostor", controlled=True)


def of_other_content(revision: dict[str, Any]) -> dict[str, Any]:
    """In place of the operator's own."""
    return impostor(revision, revision["metadata"]["name"], controlled=True)


def malformed(revision: dict[str, Any]) -> dict[str, Any]:
    made = impostor(revision, "impostor", controlled=True)
    return {**made, "data": {"spec": 7, "template": [nested(40)]}}


def nested(levels: int) -> Any:
    deep: Any = None
    for _ in range(levels):
        deep = [deep]
    return deep


def images(pods: list[dict[str, Any]]) -> list[str]:
    return [pod["spec"]["containers"][0]["image"] for pod in pods]


@pytest.mark.parametrize("change", [nobodys, of_another_name, of_other_content, malformed])
def test_an_impostor_is_never_run(
    sites: Sites,
    operator: OperatorProcess,
    control_plane: ControlPlane,
    kubectl: Kubectl,
    monkeypatch: pytest.MonkeyPatch,
    change: Change,
) -> None:
    strategy = {"type": "Recreate", "partition": 1}
    sites.ready(replicas=2)
    [revision] = eventually(lambda: kubectl.get("controllerrevisions")["items"])
    fake = change(revision)
    if fake["metadata"]["name"] == revision["metadata"]["name"]:
        kubectl("delete", "controllerrevision", revision["metadata"]["name"])
    since = len(operator.messages())
    kubectl("create", "--filename=-", stdin=json.dumps(fake))
    with unharmed(operator):
        # site-0 is to be kept at the old revision, of which the impostor says how it is made.
        sites.apply(replicas=2, updateStrategy=strategy, image="web:2")
        eventually(sites.pods, until=lambda pods: len(pods) == 2 and "web:2" in images(pods))
        before = sites.uids()
        kubectl("delete", "pod", "site-0")
        sites.replaced(before, "site-0")
    assert EVIL_IMAGE not in images(sites.pods())
    name = fake["metadata"]["name"]
    eventually(lambda: bool(logged(operator, since, name)) or any(name in m for _, m in sites.events()))

    monkeypatch.setenv("KUBECONFIG", str(control_plane.kubeconfig))

    def podpatterns(*arguments: str) -> Result:
        return CliRunner().invoke(main, [*arguments, "--namespace", kubectl.namespace])

    history = podpatterns("history", "site")
    assert "evil" not in history.output
    assert str(fake["revision"]) not in [line.split()[0] for line in history.output.splitlines()]
    podpatterns("rollback", "site")
    assert sites.get()["spec"]["template"]["spec"]["containers"][0]["image"] in ("web:1", "web:2")
    # Over what the command wrote nobody else applies, so this patches too.
    image = {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "web:3"}
    everywhere = {"op": "replace", "path": "/spec/updateStrategy/partition", "value": 0}
    kubectl("patch", "sidecarapp", "site", "--type=json", f"--patch={json.dumps([image, everywhere])}")
    sites.wait_until_ready()
    assert set(images(sites.pods())) == {"web:3"}
