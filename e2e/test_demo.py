"""`make demo` shows what it promises."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from testbed.cluster.command import run
from testbed.cluster.kind import KUBECONFIG
from testbed.cluster.kubectl import Kubectl
from testbed.monitoring import DIRECTORY

if TYPE_CHECKING:
    from testbed.cluster.kind import Cluster


def test_the_demonstration_can_be_given_again(cluster: Cluster) -> None:
    for _ in range(2):
        told = run(sys.executable, "-m", "demo")
        for done in ("git push ", "kubectl delete pod site-0 ", "privileged: true "):
            assert done in told


def test_the_demonstration_of_adapters(cluster: Cluster) -> None:
    told = run(sys.executable, "-m", "demo.adapter")
    for make in ("nginx, an access log", "Redis, its exporter", "Python, a page of JSON", "Python, StatsD"):
        assert make in told
    assert "of the requests to orders fail" in told
    Kubectl(KUBECONFIG)("delete", f"--filename={DIRECTORY}", "--wait=false")
