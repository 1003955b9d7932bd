"""Helpers are up before the application and down after it, and don't keep a Pod from completing."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from testbed.eventually import eventually
from testbed.manifests import container, sidecarapp
from testbed.pod import pod, uid

if TYPE_CHECKING:
    from testbed.cluster.kubectl import Kubectl

pytestmark = pytest.mark.usefixtures("operator")

# Says when it's up, and takes its time to end. It looks at signals ten times a second.
TALKATIVE = """
stop() { echo stopping; sleep 1; echo stopped; exit 0; }
trap stop TERM
echo up
touch /tmp/up
while :; do sleep 0.1; done
"""
# It is up a second after its start.
SLOW_START = f"sleep 1\n{TALKATIVE}"
STARTUP = {"exec": {"command": ["test", "-f", "/tmp/up"]}, "periodSeconds": 1}


def test_a_sidecar_is_up_before_the_application_and_down_after_it(kubectl: Kubectl) -> None:
    kubectl.apply(
        sidecarapp(
            "ordered",
            container("app", TALKATIVE),
            sidecars=[container("helper", SLOW_START, startupProbe=STARTUP)],
        )
    )
    kubectl("wait", "--for=condition=Ready", "sidecarapp/ordered", "--timeout=60s")

    logs = [*kubectl.command, "logs", "ordered-0", "--all-containers", "--prefix", "--timestamps", "--follow"]
    with subprocess.Popen(logs, stdout=subprocess.PIPE, text=True) as following:
        kubectl("delete", "sidecarapp", "ordered")
        told, _ = following.communicate(timeout=60)

    # Each line is: [pod/ordered-0/app] 2026-11-23T16:00:00.123456789Z stopped
    lines = sorted(
        (time, source.strip("[]").rpartition("/")[2], word)
        for source, time, word in map(str.split, told.splitlines())
    )
    assert [(who, word) for _, who, word in lines] == [
        ("helper", "up"),
        ("app", "up"),
        ("app", "stopping"),
        ("app", "stopped"),
        ("helper", "stopping"),
        ("helper", "stopped"),
    ]


def test_a_helper_with_the_application_is_an_ordinary_container(kubectl: Kubectl) -> None:
    kubectl.apply(sidecarapp("beside", container("app"), sidecars=[container("helper", order="WithApp")]))
    kubectl("wait", "--for=condition=Ready", "sidecarapp/beside", "--timeout=60s")

    spec = pod(kubectl, "beside-0")["spec"]

    assert [c["name"] for c in spec["containers"]] == ["app", "helper"]
    assert "initContainers" not in spec


@pytest.mark.parametrize(
    ("restart_policy", "task"),
    [
        ("Never", "echo done"),
        # Fails at first, and succeeds when it's started again.
        ("OnFailure", "test -f /state/tried || { touch /state/tried; exit 1; }"),
    ],
    ids=["Never", "OnFailure"],
)
def test_a_pod_that_runs_to_completion_completes(kubectl: Kubectl, restart_policy: str, task: str) -> None:
    kubectl.apply(
        sidecarapp(
            "task",
            container("app", task),
            sidecars=[container("helper")],
            sharedVolumes=[{"name": "state", "mountPath": "/state"}],
            pod={"restartPolicy": restart_policy},
        )
    )
    done = eventually(lambda: pod(kubectl, "task-0"), 60, until=_succeeded)

    # Another one is made beside it, while it is left as it is.
    kubectl("scale", "sidecarapp/task", "--replicas=2")
    eventually(lambda: pod(kubectl, "task-1"), 60, until=_succeeded)
    assert uid(pod(kubectl, "task-0")) == uid(done)


def _succeeded(pod: dict[str, Any]) -> bool:
    return bool(pod.get("status", {}).get("phase") == "Succeeded")
