"""Ambassadors and Adapters: their Pods, and the configuration that rolls in without touching one."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

import pytest
import yaml

from testbed.cluster.kubectl import Kubectl, KubectlError
from testbed.cluster.operator_process import OperatorProcess
from testbed.eventually import eventually
from testbed.manifests import manifest
from tests.integration.controller.sites import Sites

WEB: dict[str, Any] = {"name": "web", "image": "web:1"}
TEMPLATE = {"spec": {"containers": [WEB], "terminationGracePeriodSeconds": 1}}


def redis(*endpoints: str, port: int = 6379) -> dict[str, Any]:
    return {
        "name": "cache",
        "protocol": "redis",
        "listen": {"port": port},
        "env": {"portName": "REDIS_PORT"},
        "redis": {"endpoints": list(endpoints)},
    }


class Patterns:
    """Objects of one kind called `shop`, and what is made of them."""

    def __init__(self, kubectl: Kubectl) -> None:
        self.kubectl = kubectl

    def apply(self, kind: str, spec: dict[str, Any]) -> None:
        self.kubectl.apply(manifest(kind, "shop", spec))

    def ambassador(self, *upstreams: dict[str, Any], **spec: Any) -> None:
        self.apply("Ambassador", {"template": TEMPLATE, "upstreams": list(upstreams), **spec})

    def pods(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.kubectl.get("pods", "--selector=podpatterns.dev/name=shop")[
            "items"
        ]
        return found

    def generations(self) -> list[tuple[str, int]]:
        """UID and generation of each Pod."""
        return [(p["metadata"]["uid"], p["metadata"]["generation"]) for p in self.pods()]

    def ready(self, kind: str) -> dict[str, Any]:
        return eventually(lambda: self.kubectl.get(kind, "shop"), 60, until=_settled)

    def files(self, name: str = "ambassador-shop") -> dict[str, Any]:
        data: dict[str, str] = self.kubectl.get("configmap", name).get("data", {})
        return {key: yaml.safe_load(text) for key, text in data.items()}

    def configurations(self) -> set[str]:
        """What the Pods say that they are given."""
        return {p["metadata"]["annotations"]["podpatterns.dev/configuration"] for p in self.pods()}

    def endpoints(self) -> list[list[str]]:
        """Those in each file of the ConfigMap."""
        return [f["upstreams"][0]["redis"]["endpoints"] for f in self.files().values()]


def condition(obj: dict[str, Any], kind: str) -> dict[str, Any]:
    found = obj.get("status", {}).get("conditions", [])
    return next((c for c in found if c["type"] == kind), {})


def _settled(obj: dict[str, Any]) -> bool:
    return (
        obj.get("status", {}).get("observedGeneration") == obj["metadata"]["generation"]
        and condition(obj, "Ready").get("status") == "True"
        and condition(obj, "Progressing").get("reason") == "RevisionComplete"
    )


@pytest.fixture
def patterns(sites: Sites) -> Patterns:
    return Patterns(sites.kubectl)


def test_an_ambassador_makes_pods_that_mount_its_configuration(patterns: Patterns) -> None:
    patterns.ambassador(redis("redis-0:6379"), replicas=2)
    ready = patterns.ready("ambassador")
    pods = patterns.pods()
    assert [p["spec"]["initContainers"][0]["name"] for p in pods] == ["ambassador"] * 2
    [key] = patterns.files()
    for pod in pods:
        [volume] = [v for v in pod["spec"]["volumes"] if v["name"] == "ambassador"]
        [source] = volume["projected"]["sources"]
        assert source["configMap"]["name"] == "ambassador-shop"
        assert source["configMap"]["items"] == [{"key": key, "path": "ambassador.yaml"}]
    meta = patterns.kubectl.get("configmap", "ambassador-shop")["metadata"]
    [owner] = meta["ownerReferences"]
    assert (owner["uid"], owner["controller"]) == (ready["metadata"]["uid"], True)
    [configuration] = ready["status"]["configurations"]
    text = patterns.kubectl.get("configmap", "ambassador-shop")["data"][key]
    assert configuration == {
        "container": "ambassador",
        "hash": hashlib.sha256(text.encode()).hexdigest()[:10],
    }


def test_an_adapter_makes_pods(patterns: Patterns) -> None:
    spec = {
        "template": TEMPLATE,
        "sources": [{"name": "s", "type": "statsd", "statsd": {"port": 8125}}],
        "rules": [{"source": "s", "path": "hits", "metric": "app_hits_total"}],
        "contract": {"name": "custom", "metrics": [{"name": "app_hits_total", "type": "counter"}]},
    }
    patterns.apply("Adapter", spec)
    patterns.ready("adapter")
    [pod] = patterns.pods()
    assert pod["metadata"]["annotations"]["prometheus.io/port"] == "9090"
    [file] = patterns.files("adapter-shop").values()
    assert file == {name: spec[name] for name in ("contract", "sources", "rules")}


def test_new_endpoints_roll_in_without_touching_a_pod(patterns: Patterns) -> None:
    patterns.ambassador(redis("redis-0:6379"), replicas=2)
    before = patterns.ready("ambassador")
    generations, told = patterns.generations(), patterns.configurations()
    assert len(told) == 1
    patterns.ambassador(redis("redis-0:6379", "redis-1:6379"), replicas=2)
    eventually(patterns.endpoints, until=lambda found: found == [["redis-0:6379", "redis-1:6379"]])
    after = patterns.ready("ambassador")
    assert patterns.generations() == generations
    assert after["status"]["updateRevision"] == before["status"]["updateRevision"]
    assert after["status"]["configurations"] != before["status"]["configurations"]
    # The kubelet brings it in when this changes.
    eventually(patterns.configurations, until=lambda now: len(now) == 1 and now != told)


def test_while_paused_new_endpoints_reach_no_pod(patterns: Patterns) -> None:
    paused = {"paused": True}
    patterns.ambassador(redis("redis-0:6379"), replicas=2)
    patterns.ready("ambassador")
    before, told = patterns.endpoints(), patterns.configurations()
    patterns.ambassador(redis("redis-9:6379"), replicas=2, updateStrategy=paused)

    def reason() -> str:
        found = condition(patterns.kubectl.get("ambassador", "shop"), "ConfigurationCurrent")
        return str(found.get("reason"))

    eventually(reason, until=lambda found: found == "Paused")
    assert (patterns.endpoints(), patterns.configurations()) == (before, told)
    patterns.kubectl("delete", "pod", "shop-0")
    patterns.ready("ambassador")
    assert patterns.endpoints() == before

    patterns.ambassador(redis("redis-9:6379"), replicas=2)
    eventually(patterns.endpoints, until=lambda found: found == [["redis-9:6379"]])
    eventually(patterns.configurations, until=lambda now: len(now) == 1 and not now & told)


def test_a_parts_change_rolls_into_all_that_include_it(patterns: Patterns, sites: Sites) -> None:
    part = {"upstreams": [redis("redis-0:6379")]}
    patterns.apply("Ambassador", part)
    sites.ready(include=[{"kind": "Ambassador", "name": "shop"}])
    before = sites.uids()
    patterns.apply("Ambassador", {"upstreams": [redis("redis-9:6379")]})

    def endpoints() -> list[str]:
        [file] = patterns.files("sidecarapp-site").values()
        found: list[str] = file["upstreams"][0]["redis"]["endpoints"]
        return found

    eventually(endpoints, until=lambda found: found == ["redis-9:6379"])
    sites.wait_until_ready()
    assert sites.uids() == before


def test_pods_of_an_old_port_keep_the_configuration_that_fits_them(patterns: Patterns) -> None:
    strategy = {"type": "OnDelete"}
    patterns.ambassador(redis("redis-0:6379"), updateStrategy=strategy)
    patterns.ready("ambassador")
    [old] = patterns.files()
    patterns.ambassador(redis("redis-1:6379", port=6380), updateStrategy=strategy)
    eventually(lambda: len(patterns.files()), until=lambda count: count == 2)
    assert patterns.files()[old]["upstreams"][0]["listen"]["port"] == 6379
    patterns.kubectl("delete", "pod", "shop-0", "--wait=false")
    eventually(patterns.endpoints, 60, until=lambda found: found == [["redis-1:6379"]])
    patterns.ready("ambassador")


@pytest.mark.parametrize(
    "drift",
    [
        pytest.param(["patch", "--patch", '{"data":null}'], id="emptied"),
        pytest.param(["patch", "--patch", '{"metadata":{"labels":null}}'], id="without labels"),
        pytest.param(["delete"], id="deleted"),
    ],
)
def test_drift_is_put_right(patterns: Patterns, drift: list[str]) -> None:
    patterns.ambassador(redis("redis-0:6379"))
    patterns.ready("ambassador")
    generations = patterns.generations()
    before = patterns.kubectl.get("configmap", "ambassador-shop")
    verb, *arguments = drift
    patterns.kubectl(verb, "configmap", "ambassador-shop", *arguments)

    def back(found: dict[str, Any]) -> bool:
        same = all(
            found["metadata"].get(k) == before["metadata"].get(k) for k in ("labels", "ownerReferences")
        )
        return same and found.get("data") == before["data"]

    eventually(_config_map(patterns.kubectl), until=back)
    assert patterns.generations() == generations


def _config_map(kubectl: Kubectl) -> Any:
    def get() -> dict[str, Any]:
        items = kubectl.get("configmaps", "--field-selector=metadata.name=ambassador-shop")["items"]
        return items[0] if items else {"metadata": {}}

    return get


def test_a_strangers_config_map_is_left_alone(patterns: Patterns) -> None:
    patterns.kubectl("create", "configmap", "ambassador-shop", "--from-literal=mine=yes")
    patterns.ambassador(redis("redis-0:6379"))
    refused = eventually(
        lambda: condition(patterns.kubectl.get("ambassador", "shop"), "ReplicaFailure"),
        until=lambda c: c.get("status") == "True",
    )
    assert refused["reason"] == "ConfigMapNameTaken"
    assert patterns.pods() == []
    assert patterns.files() == {"mine": True}
    patterns.kubectl("delete", "configmap", "ambassador-shop")
    patterns.ready("ambassador")


def test_a_restarted_operator_writes_nothing(
    patterns: Patterns, sites: Sites, operator: OperatorProcess
) -> None:
    patterns.ambassador(redis("redis-0:6379"))
    patterns.ready("ambassador")
    kinds = "ambassadors,configmaps,pods,controllerrevisions"

    def versions() -> dict[str, str]:
        found = patterns.kubectl.get(kinds, "--selector=podpatterns.dev/name=shop")["items"]
        found.append(patterns.kubectl.get("ambassador", "shop"))
        return {o["metadata"]["uid"]: o["metadata"]["resourceVersion"] for o in found}

    before = versions()
    operator.restart()
    sites.ready("later")  # by then all objects that were there have been looked at
    assert versions() == before


def test_local_mode_needs_no_configuration(patterns: Patterns) -> None:
    local = {"container": {"name": "redis", "image": "redis:1"}}
    upstream = {**redis("redis-0:6379"), "local": local}
    patterns.ambassador(upstream)
    patterns.ready("ambassador")
    patterns.ambassador(upstream, mode="Local")
    patterns.ready("ambassador")
    [pod] = patterns.pods()
    assert [c["name"] for c in pod["spec"]["initContainers"]] == ["redis"]
    assert pod["spec"]["containers"][0]["env"] == [{"name": "REDIS_PORT", "value": "6379"}]
    eventually(_config_map(patterns.kubectl), until=lambda found: not found["metadata"])


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ([{**redis("redis-1:6379"), "protocol": "mysql"}], "spec.upstreams[0].protocol: Unsupported value"),
        (
            [redis("redis-1")],
            'spec.upstreams[0].redis.endpoints[0]: Invalid value: "redis-1": must be host:port',
        ),
        (
            [redis("redis-1:6379"), {**redis("redis-2:6379"), "name": "other", "env": {}}],
            "spec.upstreams: Invalid value: two upstreams listen on one port: give each a listen.port",
        ),
    ],
    ids=["unknown protocol", "endpoint without a port", "two upstreams on one port"],
)
def test_what_the_server_refuses_changes_nothing_that_runs(
    patterns: Patterns, bad: list[dict[str, Any]], told: str
) -> None:
    patterns.ambassador(redis("redis-0:6379"))
    patterns.ready("ambassador")
    generations, files = patterns.generations(), json.dumps(patterns.files())
    with pytest.raises(KubectlError, match=re.escape(told)):
        patterns.ambassador(*bad)
    patterns.ready("ambassador")
    assert (patterns.generations(), json.dumps(patterns.files())) == (generations, files)


def test_bad_input_names_its_field_and_what_runs_goes_on(patterns: Patterns) -> None:
    patterns.ambassador(redis("redis-0:6379"))
    patterns.ready("ambassador")
    generations, files = patterns.generations(), json.dumps(patterns.files())
    taken = {**WEB, "ports": [{"containerPort": 6379}]}
    template = {"spec": {"containers": [taken], "terminationGracePeriodSeconds": 1}}
    patterns.ambassador(redis("redis-1:6379"), template=template)
    refused = eventually(
        lambda: condition(patterns.kubectl.get("ambassador", "shop"), "Ready"),
        until=lambda c: c.get("reason") == "PortsConflict",
    )
    assert "spec.template.spec.containers[0].ports[0].containerPort: " in refused["message"]
    assert "TCP port 6379 is taken by spec.upstreams[0].listen.port" in refused["message"]
    assert "give one of them another port" in refused["message"]
    assert (patterns.generations(), json.dumps(patterns.files())) == (generations, files)


def test_a_config_map_deleted_while_its_object_is_held_comes_back(patterns: Patterns) -> None:
    patterns.ambassador(redis("redis-0:6379"), replicas=2)
    patterns.ready("ambassador")
    files, generations = patterns.files(), patterns.generations()
    clash = {**TEMPLATE["spec"], "containers": [{**WEB, "ports": [{"containerPort": 6379}]}]}
    patterns.ambassador(redis("redis-1:6379"), replicas=2, template={"spec": clash})
    eventually(
        lambda: condition(patterns.kubectl.get("ambassador", "shop"), "Ready"),
        until=lambda ready: ready.get("reason") == "PortsConflict",
    )
    patterns.kubectl("delete", "configmap", "ambassador-shop")
    eventually(lambda: patterns.kubectl.get("configmaps")["items"], until=lambda found: len(found) == 2)
    assert patterns.files() == files, "those of the revision at which it is held"
    assert patterns.generations() == generations
    patterns.ambassador(redis("redis-1:6379"), replicas=2)
    patterns.ready("ambassador")
    eventually(patterns.endpoints, until=lambda found: found == [["redis-1:6379"]])
