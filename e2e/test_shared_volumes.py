"""Containers of a Pod hand each other files and memory; a replacement starts with nothing of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from testbed.cluster.kubectl import KubectlError
from testbed.eventually import eventually
from testbed.manifests import container, sidecarapp
from testbed.pod import pod, ready, uid

if TYPE_CHECKING:
    from testbed.cluster.kubectl import Kubectl

pytestmark = pytest.mark.usefixtures("operator")


@pytest.fixture
def pair(kubectl: Kubectl) -> None:
    """A running Pod, pair-0, whose helper writes where the application may read."""
    kubectl.apply(
        sidecarapp(
            "pair",
            container("app"),
            sidecars=[container("helper")],
            sharedVolumes=[
                {
                    "name": "content",
                    "mountPath": "/out",
                    "mounts": [{"container": "app", "mountPath": "/in", "readOnly": True}],
                }
            ],
            sharedMemory="16Mi",
        )
    )
    kubectl("wait", "--for=condition=Ready", "sidecarapp/pair", "--timeout=60s")


@pytest.mark.usefixtures("pair")
def test_what_one_writes_the_other_reads(kubectl: Kubectl) -> None:
    _in(kubectl, "helper", "echo hello > /out/greeting")
    assert _in(kubectl, "app", "cat /in/greeting") == "hello\n"


@pytest.mark.usefixtures("pair")
def test_who_may_only_read_cannot_write(kubectl: Kubectl) -> None:
    with pytest.raises(KubectlError, match="Read-only file system"):
        _in(kubectl, "app", "echo hello > /in/greeting")


@pytest.mark.usefixtures("pair")
def test_shared_memory_is_common_and_has_its_size(kubectl: Kubectl) -> None:
    _in(kubectl, "app", "echo hello > /dev/shm/greeting")
    assert _in(kubectl, "helper", "cat /dev/shm/greeting") == "hello\n"
    assert _in(kubectl, "helper", "df -m /dev/shm | tail -n 1").split()[:2] == ["tmpfs", "16"]


@pytest.mark.usefixtures("pair")
def test_a_replacement_starts_empty(kubectl: Kubectl) -> None:
    _in(kubectl, "helper", "echo old > /out/file; echo old > /dev/shm/file")
    old = uid(pod(kubectl, "pair-0"))

    kubectl("delete", "pod", "pair-0")
    eventually(lambda: pod(kubectl, "pair-0"), 60, until=lambda new: uid(new) not in ("", old) and ready(new))

    assert _in(kubectl, "app", "ls -A /in /dev/shm").split() == ["/dev/shm:", "/in:"]


def _in(kubectl: Kubectl, container: str, script: str) -> str:
    """Return the output of a shell script in a container of pair-0."""
    return kubectl("exec", "pair-0", f"--container={container}", "--", "sh", "-c", script)
