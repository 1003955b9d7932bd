"""A deleted Pod comes back, and a killed operator loses and doubles nothing."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from testbed.cluster.command import run
from testbed.cluster.kind import NODE
from testbed.eventually import eventually
from testbed.manifests import container, sidecarapp
from testbed.pod import Pod, controllers, pod, ready, uid
from testbed.release import DEPLOYMENT, NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from testbed.cluster.kubectl import Kubectl

pytestmark = pytest.mark.usefixtures("operator")

REPLICAS = 20


def test_a_deleted_pod_comes_back_as_another_one(kubectl: Kubectl) -> None:
    kubectl.apply(sidecarapp("site", container("app"), sidecars=[container("helper")], replicas=2))
    kubectl("wait", "--for=condition=Ready", "sidecarapp/site", "--timeout=60s")
    old, neighbour = pod(kubectl, "site-0"), pod(kubectl, "site-1")

    kubectl("delete", "pod", "site-0")
    new = eventually(
        lambda: pod(kubectl, "site-0"), 60, until=lambda new: uid(new) not in ("", uid(old)) and ready(new)
    )

    assert controllers(new) == [kubectl.get("sidecarapp", "site")["metadata"]["uid"]]
    assert uid(pod(kubectl, "site-1")) == uid(neighbour)
    kubectl("wait", "--for=condition=Ready", "sidecarapp/site", "--timeout=60s")


def test_an_operator_killed_while_it_scales_ends_with_the_right_number(kubectl: Kubectl) -> None:
    kubectl.apply(sidecarapp("many", container("app"), replicas=1))
    kubectl("wait", "--for=condition=Ready", "sidecarapp/many", "--timeout=60s")

    leader = _leader(kubectl)
    with _created(kubectl) as created, _killer(leader) as kill:
        kubectl("scale", "sidecarapp/many", f"--replicas={REPLICAS}")
        names = [next(created) for _ in range(REPLICAS // 5)]
        kill()
        kubectl("wait", "--for=condition=Ready", "sidecarapp/many", "--timeout=240s")
        names += [next(created) for _ in range(REPLICAS - len(names))]

    pods = kubectl.get("pods")["items"]
    assert sorted(names) == sorted(f"many-{index}" for index in range(REPLICAS))
    assert sorted(item["metadata"]["name"] for item in pods) == sorted(names)
    assert {tuple(controllers(item)) for item in pods} == {
        (kubectl.get("sidecarapp", "many")["metadata"]["uid"],)
    }
    killed = _of_operator(kubectl, leader["metadata"]["name"])
    died = killed["status"]["containerStatuses"][0]["lastState"]["terminated"]["finishedAt"]
    assert any(item["metadata"]["creationTimestamp"] > died for item in pods), (
        "killed after the last creation"
    )


@contextmanager
def _created(kubectl: Kubectl) -> Iterator[Iterator[str]]:
    """Inside, the names of Pods as they are created, those that are there first."""
    watch = [*kubectl.command, "get", "pods", "--watch", "--output-watch-events", "--no-headers"]
    with subprocess.Popen(watch, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            events = map(str.split, process.stdout)
            yield (name for event, name, *_ in events if event == "ADDED")
        finally:
            process.kill()


@contextmanager
def _killer(operator: Pod) -> Iterator[Callable[[], None]]:
    """Inside, calling it kills the operator's process at once."""
    (container,) = operator["status"]["containerStatuses"]
    identity = container["containerID"].removeprefix("containerd://")
    tasks = run("docker", "exec", NODE, "ctr", "--namespace=k8s.io", "tasks", "list").splitlines()
    (process_id,) = (pid for task, pid, _ in map(str.split, tasks) if task == identity)
    # A shell that is there already takes no time to start.
    with subprocess.Popen(
        ["docker", "exec", "--interactive", NODE, "sh"], stdin=subprocess.PIPE, text=True
    ) as shell:
        assert shell.stdin
        yield lambda: print(f"kill -KILL {process_id}", file=shell.stdin, flush=True)


def _leader(kubectl: Kubectl) -> Pod:
    """The operator's Pod that leads."""
    holder = kubectl.get("lease", DEPLOYMENT, "--namespace=kube-system")["spec"]["holderIdentity"]
    return _of_operator(kubectl, holder)


def _of_operator(kubectl: Kubectl, name: str) -> Pod:
    found: Pod = kubectl.get("pod", name, f"--namespace={NAMESPACE}")
    return found
