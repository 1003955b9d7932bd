"""Status tells which configuration each Pod runs, and which one a Pod's engine refuses.

The nodes are fake; here a Pod's address is one of this machine, where the real HAProxy and its supervisor run
with the configuration that the operator wrote, brought to them by the test in the place of the kubelet.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import pytest

from testbed.cluster.kubectl import Kubectl
from testbed.cluster.operator_process import OperatorProcess
from testbed.cluster.own_programs import HELPERS, own_program
from testbed.cluster.packages import require
from testbed.cluster.process import Process
from testbed.eventually import eventually
from testbed.manifests import manifest
from testbed.ports import free_port
from tests.integration.controller.sites import Sites

HAPROXY, REDIS = HELPERS / "haproxy-ambassador", HELPERS / "redis-ambassador"
TEMPLATE = {"spec": {"containers": [{"name": "web", "image": "web:1"}], "terminationGracePeriodSeconds": 1}}


class Shop:
    """An Ambassador with one upstream, called `shop`."""

    def __init__(self, kubectl: Kubectl, name: str = "shop") -> None:
        self.kubectl = kubectl
        self.name = name
        self.listen, self.metrics = free_port(), free_port()

    def apply(self, endpoint: str, replicas: int = 1) -> None:
        upstream = {
            "name": "db",
            "protocol": "tcp",
            "listen": {"port": self.listen},
            "endpoints": [endpoint],
        }
        spec = {
            "template": TEMPLATE,
            "replicas": replicas,
            "upstreams": [upstream],
            "proxy": {"metricsPort": self.metrics},
        }
        self.kubectl.apply(manifest("Ambassador", self.name, spec))
        self.becomes("Ready", "PodsAvailable", 60)

    def object(self) -> dict[str, Any]:
        return self.kubectl.get("ambassador", self.name)

    def condition(self, kind: str = "ConfigurationCurrent") -> dict[str, Any]:
        """As of the newest generation, empty when there is none."""
        found = self.object()
        conditions = found.get("status", {}).get("conditions", [])
        of_kind: dict[str, Any] = next((c for c in conditions if c["type"] == kind), {})
        return of_kind if of_kind.get("observedGeneration") == found["metadata"]["generation"] else {}

    def becomes(self, kind: str, reason: str, timeout: float = 30) -> dict[str, Any]:
        return eventually(lambda: self.condition(kind), timeout, until=lambda c: c.get("reason") == reason)

    def told(self) -> dict[str, Any]:
        [entry] = self.object()["status"]["configurations"]
        assert entry.pop("container") == "haproxy"
        return dict(entry)

    def text(self) -> str:
        """What the operator wrote."""
        [text] = self.kubectl.get("configmap", f"ambassador-{self.name}")["data"].values()
        return str(text)


def move(kubectl: Kubectl, pod: str, address: str) -> None:
    """Makes an address of this machine the Pod's."""
    patch = {"status": {"podIP": address, "podIPs": [{"ip": address}]}}
    words = ("--subresource=status", "--type=merge", f"--patch={json.dumps(patch)}")
    kubectl("patch", "pod", pod, *words)


class Helper:
    """A Pod's proxy, at an address of this machine."""

    def __init__(self, shop: Shop, index: int, directory: Path) -> None:
        self.shop = shop
        self.pod, self.address = f"{shop.name}-{index}", f"127.0.0.{index + 1}"
        self.file = directory / f"{self.pod}.d" / "haproxy.cfg"
        self.file.parent.mkdir()
        self.sockets = tempfile.mkdtemp(prefix="haproxy")  # a socket's path has at most 107 bytes
        self.process = Process(
            [
                own_program(HAPROXY),
                f"--config={self.file}",
                f"--metrics={self.address}:{shop.metrics}",
                f"--run={self.sockets}",
            ],
            directory / f"{self.pod}.log",
        )

    def __enter__(self) -> Self:
        self.process.start()
        move(self.shop.kubectl, self.pod, self.address)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stop()
        shutil.rmtree(self.sockets)

    def bring(self, text: str) -> None:
        """As the kubelet does, all at once."""
        new = self.file.with_suffix(".new")
        new.write_text(text)
        new.rename(self.file)


Run = Callable[[Shop, int], Helper]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    require({"haproxy": "haproxy"})
    with ExitStack() as stack:
        yield lambda shop, index: stack.enter_context(Helper(shop, index, tmp_path))


@pytest.fixture
def shop(sites: Sites) -> Shop:
    return Shop(sites.kubectl)


def test_status_follows_each_pod(shop: Shop, run: Run) -> None:
    shop.apply("192.0.2.1:1", replicas=2)
    unknown = shop.becomes("ConfigurationCurrent", "Unreachable")
    assert unknown["status"] == "Unknown"
    assert unknown["message"].startswith("haproxy in shop-0 has not answered yet: the operator polls")
    first = shop.told()["hash"]
    assert shop.told() == {"hash": first}

    pods = [run(shop, 0), run(shop, 1)]
    for pod in pods:
        pod.bring(shop.text())
    assert shop.becomes("ConfigurationCurrent", "AllCurrent")["status"] == "True"
    assert shop.told() == {"hash": first, "runningPods": 2}

    shop.apply("192.0.2.2:1", replicas=2)
    shop.becomes("ConfigurationCurrent", "ConfigurationProgressing")
    second = shop.told()["hash"]
    assert second != first
    pods[0].bring(shop.text())
    lagging = [{"pod": "shop-1", "hash": first}]
    eventually(shop.told, until={"hash": second, "runningPods": 1, "laggingPods": lagging}.__eq__)
    waiting = shop.condition()
    assert (waiting["status"], waiting["message"]) == (
        "Unknown",
        f"haproxy in shop-1 runs {first} and not {second} yet",
    )
    pods[1].bring(shop.text())
    shop.becomes("ConfigurationCurrent", "AllCurrent")
    assert shop.told() == {"hash": second, "runningPods": 2}


def test_what_an_engine_refuses_is_told_in_its_words(shop: Shop, run: Run) -> None:
    shop.apply("192.0.2.1:1")
    pod = run(shop, 0)
    pod.bring(shop.text())
    shop.becomes("ConfigurationCurrent", "AllCurrent")
    before = shop.told()["hash"]

    shop.apply("192.0.2.2:1")
    pod.bring(f"{shop.text()}bogus\n")
    refused = shop.becomes("ConfigurationCurrent", "ConfigurationRefused")
    assert refused["status"] == "False"
    told = f"haproxy in shop-0 refuses the newest configuration and goes on with {before}"
    assert told in refused["message"]
    assert "unknown keyword 'bogus'" in refused["message"]
    [lagging] = shop.told()["laggingPods"]
    assert (lagging["pod"], lagging["hash"]) == ("shop-0", before)
    assert "unknown keyword 'bogus'" in lagging["refused"]

    pod.bring(shop.text())
    shop.becomes("ConfigurationCurrent", "AllCurrent")


def test_redis_ambassador_tells_it_too(shop: Shop, tmp_path: Path) -> None:
    redis: dict[str, Any] = {"endpoints": [f"127.0.0.1:{free_port()}"]}
    upstream = {"name": "cache", "protocol": "redis", "listen": {"port": shop.listen}, "redis": redis}
    spec = {"template": TEMPLATE, "upstreams": [upstream], "proxy": {"metricsPort": shop.metrics}}
    shop.kubectl.apply(manifest("Ambassador", shop.name, spec))
    shop.becomes("Ready", "PodsAvailable", 60)
    file = tmp_path / "ambassador.yaml"
    file.write_text(shop.text())
    command: list[str | Path] = [
        own_program(REDIS),
        f"--config={file}",
        f"--metrics-bind=127.0.0.1:{shop.metrics}",
    ]
    process = Process(command, tmp_path / "redis-ambassador.log")
    process.start()
    try:
        move(shop.kubectl, f"{shop.name}-0", "127.0.0.1")
        shop.becomes("ConfigurationCurrent", "AllCurrent")
        file.write_text("upstreams: {")
        redis["readPolicy"] = "PreferReplica"
        shop.kubectl.apply(manifest("Ambassador", shop.name, spec))
        refused = shop.becomes("ConfigurationCurrent", "ConfigurationRefused")
        assert "not an Ambassador's spec" in refused["message"]
    finally:
        process.stop()


def test_a_restarted_operator_asks_again_and_writes_nothing(
    shop: Shop, run: Run, operator: OperatorProcess
) -> None:
    shop.apply("192.0.2.1:1")
    run(shop, 0).bring(shop.text())
    shop.becomes("ConfigurationCurrent", "AllCurrent")
    version = shop.object()["metadata"]["resourceVersion"]
    operator.restart()
    later = Shop(shop.kubectl, "later")
    later.apply("192.0.2.1:1")
    run(later, 0).bring(later.text())
    later.becomes("ConfigurationCurrent", "AllCurrent")  # it was asked after the first
    assert shop.object()["metadata"]["resourceVersion"] == version
