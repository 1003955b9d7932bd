"""The condition ContractSatisfied: what the spec tells, and what the adapter in a Pod tells.

The nodes are fake, and so are their Pods' addresses; here a Pod's address is this machine, where the real
adapter runs with the configuration that the operator wrote.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from testbed.adapter import Adapter
from testbed.cluster.kubectl import Kubectl
from testbed.cluster.operator_process import OperatorProcess
from testbed.eventually import eventually
from testbed.manifests import manifest
from testbed.ports import free_port
from tests.integration.controller.sites import Sites

Run = Callable[[], Adapter]

TEMPLATE = {"spec": {"containers": [{"name": "web", "image": "web:1"}], "terminationGracePeriodSeconds": 1}}
HITS = {"source": "sent", "path": "hits", "metric": "app_hits_total"}
CONTRACT = {"name": "custom", "metrics": [{"name": "app_hits_total", "type": "counter"}]}


class Shop:
    """An Adapter called `shop`, whose statistics come by StatsD."""

    def __init__(self, kubectl: Kubectl) -> None:
        self.kubectl = kubectl
        self.port, self.statsd = free_port(), free_port()

    def apply(self, *rules: dict[str, Any], contract: dict[str, Any] | None = None) -> None:
        source = {"name": "sent", "type": "statsd", "statsd": {"port": self.statsd}}
        spec = {
            "template": TEMPLATE,
            "contract": contract or CONTRACT,
            "metrics": {"port": self.port},
            "sources": [source],
            "rules": list(rules),
        }
        self.kubectl.apply(manifest("Adapter", "shop", spec))

    def condition(self, kind: str = "ContractSatisfied") -> dict[str, Any]:
        """As of the newest generation, empty when there is none."""
        shop = self.kubectl.get("adapter", "shop")
        found = shop.get("status", {}).get("conditions", [])
        of_kind: dict[str, Any] = next((c for c in found if c["type"] == kind), {})
        return of_kind if of_kind.get("observedGeneration") == shop["metadata"]["generation"] else {}

    def becomes(self, reason: str, timeout: float = 30) -> dict[str, Any]:
        return eventually(self.condition, timeout, until=lambda c: c.get("reason") == reason)

    def configuration(self) -> str:
        """The file that the operator wrote."""
        [text] = self.kubectl.get("configmap", "adapter-shop")["data"].values()
        return str(text)

    def move(self, pod: str = "shop-0") -> None:
        """Makes this machine the Pod's address."""
        patch = {"status": {"podIP": "127.0.0.1", "podIPs": [{"ip": "127.0.0.1"}]}}
        self.kubectl(
            "patch", "pod", pod, "--subresource=status", "--type=merge", f"--patch={json.dumps(patch)}"
        )

    def send(self, line: str) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(line.encode(), ("127.0.0.1", self.statsd))

    def version(self) -> str:
        return str(self.kubectl.get("adapter", "shop")["metadata"]["resourceVersion"])

    def pods(self) -> list[tuple[str, int]]:
        """UID and generation of each."""
        found = self.kubectl.get("pods", "--selector=podpatterns.dev/name=shop")["items"]
        return [(p["metadata"]["uid"], p["metadata"]["generation"]) for p in found]


@pytest.fixture
def shop(sites: Sites) -> Shop:
    return Shop(sites.kubectl)


@pytest.fixture
def run(shop: Shop, tmp_path: Path) -> Iterator[Run]:
    """Starts the adapter with the configuration that the operator wrote."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(Adapter(tmp_path, shop.configuration(), shop.port))


def satisfied(shop: Shop, run: Run) -> Adapter:
    """One that runs and has found all that its contract wants; the status is complete."""
    shop.apply(HITS)
    eventually(lambda: shop.condition("Ready"), until=lambda c: c.get("status") == "True")
    adapter = run()
    shop.move()
    shop.send("hits:1|c")
    shop.becomes("MetricsPresent")
    eventually(
        lambda: shop.condition("ConfigurationCurrent"), until=lambda c: c.get("reason") == "AllCurrent"
    )
    return adapter


def test_the_condition_follows_what_the_adapter_finds(shop: Shop, run: Run) -> None:
    shop.apply(HITS)
    eventually(lambda: shop.condition("Ready"), until=lambda c: c.get("status") == "True")
    run()
    shop.move()
    absent = shop.becomes("NoSamplesYet")
    assert absent["status"] == "Unknown"
    assert absent["message"] == "adapter in shop-0 lacks metrics of custom: app_hits_total (absent)"

    shop.send("hits:1|c")
    there = shop.becomes("MetricsPresent")
    assert there["status"] == "True"
    eventually(
        lambda: shop.condition("ConfigurationCurrent"), until=lambda c: c.get("reason") == "AllCurrent"
    )


def test_a_metric_that_cannot_be_taken_breaks_the_contract(shop: Shop, run: Run) -> None:
    shop.apply(HITS)
    eventually(lambda: shop.condition("Ready"), until=lambda c: c.get("status") == "True")
    run()
    shop.move()
    shop.becomes("NoSamplesYet")
    shop.send("hits:3|g")
    broken = shop.becomes("MetricsMissing")
    assert broken["status"] == "False"
    assert broken["message"] == "adapter in shop-0 lacks metrics of custom: app_hits_total (type)"


def test_a_restarted_operator_asks_again_and_writes_nothing(
    shop: Shop, run: Run, sites: Sites, operator: OperatorProcess
) -> None:
    adapter = satisfied(shop, run)
    version = shop.version()
    operator.restart()
    sites.ready("later")  # by then all objects that were there have been looked at
    assert shop.version() == version
    adapter.process.stop()
    assert shop.becomes("Unreachable")["status"] == "Unknown"


def test_rules_that_cannot_satisfy_the_contract_change_nothing_that_runs(shop: Shop, run: Run) -> None:
    adapter = satisfied(shop, run)
    pods, file = shop.pods(), shop.configuration()

    shop.apply(HITS, {**HITS, "metric": "adapter_hits"})
    ready = eventually(lambda: shop.condition("Ready"), until=lambda c: c.get("status") == "False")
    assert ready["reason"] == "InvalidSpec"
    assert ready["message"].startswith("spec.rules[1].metric: must be a metric's name such as")

    shop.apply({**HITS, "metric": "app_other_total"})
    refused = shop.becomes("ContractUnsatisfiable")
    assert refused["status"] == "False"
    assert refused["message"] == (
        "spec.rules: no rule makes app_hits_total, a counter that custom wants; add one, or choose another"
        " contract"
    )
    assert (shop.pods(), shop.configuration()) == (pods, file)
    assert adapter.contract()["satisfied"]

    shop.apply(HITS)
    shop.becomes("MetricsPresent")
    assert shop.pods() == pods


def test_a_configuration_that_is_not_there_yet_is_told(shop: Shop, run: Run) -> None:
    adapter = satisfied(shop, run)
    shop.apply({**HITS, "labels": {"team": "shop"}})
    shop.becomes("ConfigurationProgressing")
    (adapter.directory / "adapter.yaml").write_text(shop.configuration())  # as the kubelet does
    shop.becomes("NoSamplesYet")
    shop.send("hits:1|c")
    shop.becomes("MetricsPresent")


ONLY_GO = "a > // what Go takes for a comment the operator leaves to the adapter"


def test_what_only_the_adapter_can_refuse_is_told_with_its_index(shop: Shop, run: Run) -> None:
    adapter = satisfied(shop, run)
    shop.apply({"source": "sent", "path": "hits", "emit": [{"metric": "app_hits_total", "when": ONLY_GO}]})
    shop.becomes("ConfigurationProgressing")
    (adapter.directory / "adapter.yaml").write_text(shop.configuration())  # as the kubelet does
    refused = shop.becomes("ConfigurationRefused")
    assert refused["status"] == "False"
    assert "rules[0].emit[0].when: not a condition such as" in refused["message"]
    configuration = eventually(
        lambda: shop.condition("ConfigurationCurrent"),
        until=lambda c: c.get("reason") == "ConfigurationRefused",
    )
    assert "rules[0].emit[0].when: not a condition such as" in configuration["message"]
    shop.send("hits:1|c")
    eventually(adapter.metrics, until=lambda text: "\napp_hits_total 2\n" in text)
