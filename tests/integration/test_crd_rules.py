"""Each rule about fields that concern each other, broken once."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.cluster.control_plane import ControlPlane
from e2e.cluster.kubectl import Kubectl, KubectlError
from podpatterns.api.model import Model

SPECS: dict[str, dict[str, Any]] = {
    "SidecarApp": {},
    "Ambassador": {
        "upstreams": [
            {
                "name": "db",
                "protocol": "tcp",
                "listen": {"port": 1},
                "endpoints": ["db:1"],
                "env": {"portName": "DB"},
            },
            {
                "name": "cache",
                "protocol": "redis",
                "listen": {"port": 2},
                "redis": {"endpoints": ["redis:2"]},
            },
        ]
    },
    "Adapter": {
        "sources": [
            {"name": "stats", "type": "json", "json": {"url": "http://127.0.0.1/stats"}},
            {"name": "access", "type": "log", "log": {"volume": "logs", "path": "access.log"}},
        ],
        "rules": [{"source": "stats", "path": "hits", "metric": "hits"}],
    },
}


@pytest.fixture
def kubectl(control_plane: ControlPlane) -> Kubectl:
    """Needs no namespace of its own: nothing is stored."""
    return Kubectl(control_plane.kubeconfig)


def change(spec: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`spec` with each value put at its place: `upstreams.0.tls`; None takes the field out."""
    changed = copy.deepcopy(spec)
    for place, value in changes.items():
        node: Any = changed
        *way, last = [int(step) if step.isdigit() else step for step in place.split(".")]
        for step in way:
            node = node[step]
        if value is None:
            del node[last]
        else:
            node[last] = value
    return changed


def create(kubectl: Kubectl, kind: str, spec: dict[str, Any], name: str = "x") -> None:
    manifest = {
        "apiVersion": "podpatterns.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
    }
    kubectl("create", "--filename=-", "--dry-run=server", stdin=yaml.safe_dump(manifest))


READS = {"listen": {"port": 3}}

BROKEN: list[tuple[str, dict[str, Any], str, str]] = [
    (
        "SidecarApp",
        {"podReplacementPolicy": "Failed"},
        "spec.podReplacementPolicy",
        "Failed needs podNaming Generated",
    ),
    (
        "SidecarApp",
        {"updateStrategy": {"maxSurge": "10%"}},
        "spec.updateStrategy.maxSurge",
        "needs podNaming Generated",
    ),
    (
        "SidecarApp",
        {"updateStrategy": {"maxUnavailable": 0}},
        "spec.updateStrategy.maxUnavailable",
        "may not be 0 while maxSurge is 0 too",
    ),
    (
        "SidecarApp",
        {"podNaming": "Generated", "updateStrategy": {"maxUnavailable": "0%", "maxSurge": "0%"}},
        "spec.updateStrategy.maxUnavailable",
        "may not be 0 while maxSurge is 0 too",
    ),
    (
        "SidecarApp",
        {"minReadySeconds": 600},
        "spec.progressDeadlineSeconds",
        "must be more than minReadySeconds",
    ),
    (
        "SidecarApp",
        {"include": [{"kind": "SidecarApp", "name": "x"}]},
        "spec.include",
        "an object can't include itself",
    ),
    (
        "SidecarApp",
        {"sharedVolumes": [{"name": "a"}]},
        "spec.sharedVolumes[0].mountPath",
        "give mountPath, for every container, or mounts",
    ),
    (
        "SidecarApp",
        {"sharedVolumes": [{"name": "a", "mounts": [{"container": "web"}]}]},
        "spec.sharedVolumes[0].mountPath",
        "give mountPath, for every container, or mounts",
    ),
    (
        "Ambassador",
        {"upstreams.1.redis": None},
        "spec.upstreams[1].redis",
        "belongs to protocol redis",
    ),
    (
        "Ambassador",
        {"upstreams.0.redis": {"endpoints": ["redis:2"]}},
        "spec.upstreams[0].redis",
        "belongs to protocol redis",
    ),
    (
        "Ambassador",
        {"upstreams.0.endpoints": None},
        "spec.upstreams[0].endpoints",
        "required, unless protocol is redis",
    ),
    (
        "Ambassador",
        {"upstreams.1.endpoints": ["redis:2"]},
        "spec.upstreams[1].endpoints",
        "required, unless protocol is redis",
    ),
    (
        "Ambassador",
        {"upstreams.1.tls": {}},
        "spec.upstreams[1].tls",
        "protocol redis has redis.tls instead",
    ),
    (
        "Ambassador",
        {"upstreams.0.retries": {"retryOn": ["connect-failure", "503"]}},
        "spec.upstreams[0].retries.retryOn",
        "statuses need protocol http",
    ),
    (
        "Ambassador",
        {"upstreams.0.healthCheck": {"interval": "0s"}},
        "spec.upstreams[0].healthCheck.interval",
        "must be longer than 0",
    ),
    (
        "Ambassador",
        {"upstreams.0.endpoints": ["db"]},
        "spec.upstreams[0].endpoints[0]",
        "must be host:port, such as db.shop:5432",
    ),
    (
        "Ambassador",
        {"upstreams.1.redis.endpoints": ["redis:65536"]},
        "spec.upstreams[1].redis.endpoints[0]",
        "must be host:port, such as db.shop:5432",
    ),
    (
        "Ambassador",
        {"upstreams.1.listen.port": 1},
        "spec.upstreams",
        "two upstreams listen on one port",
    ),
    (
        "Ambassador",
        {"proxy": {"metricsPort": 1}},
        "spec.proxy.metricsPort",
        "an upstream listens on this port",
    ),
    *(
        ("Ambassador", {"upstreams.1.redis.reads": READS, **changes}, path, message)
        for changes, path, message in (
            ({}, "spec.upstreams[1].redis.readPolicy", "a port for reads needs PreferReplica or Replica"),
            (
                {"upstreams.1.redis.sentinel": {"masterName": "m"}},
                "spec.upstreams[1].redis.sentinel",
                "HAProxy asks no Sentinels",
            ),
            (
                {"upstreams.1.redis.authSecretRef": {"name": "redis", "key": "password"}},
                "spec.upstreams[1].redis.authSecretRef",
                "HAProxy can't log in",
            ),
            (
                {"upstreams.1.redis.readAfterWrite": {}},
                "spec.upstreams[1].redis.readAfterWrite",
                "HAProxy does not know what is written",
            ),
            (
                {"upstreams.1.redis.maxReplicaLag": "1s"},
                "spec.upstreams[1].redis.maxReplicaLag",
                "HAProxy does not know how far a replica lags",
            ),
            (
                {"upstreams.1.redis.readPolicy": "Replica", "proxy": {"metricsPort": 3}},
                "spec.upstreams",
                "the port of redis.reads is an upstream's, or that of the metrics",
            ),
            (
                {"upstreams.1.redis.readPolicy": "Replica", "upstreams.0.listen.port": 3},
                "spec.upstreams",
                "the port of redis.reads is an upstream's, or that of the metrics",
            ),
        )
    ),
    (
        "Ambassador",
        {"mode": "Local"},
        "spec.upstreams",
        "in mode Local every upstream needs local.container",
    ),
    (
        "Ambassador",
        {"upstreams.1.env": {"portName": "DB"}},
        "spec.upstreams",
        "two upstreams have the same env.portName",
    ),
    (
        "Adapter",
        {"sources.0.json": None},
        "spec.sources[0].json",
        "belongs to type json",
    ),
    (
        "Adapter",
        {"sources.0.statsd": {"port": 8125}},
        "spec.sources[0].statsd",
        "belongs to type statsd",
    ),
    (
        "Adapter",
        {"sources.0.type": "prometheus"},
        "spec.sources[0].prometheus",
        "belongs to type prometheus",
    ),
    (
        "Adapter",
        {"sources.1.type": "proc"},
        "spec.sources[1].log",
        "belongs to type log",
    ),
    (
        "Adapter",
        {"sources.1.type": "proc"},
        "spec.sources[1].proc",
        "belongs to type proc",
    ),
    (
        "Adapter",
        {"rules.0.regex": "x"},
        "spec.rules[0]",
        "give either path or regex",
    ),
    (
        "Adapter",
        {"rules.0.emit": [{"metric": "hits"}]},
        "spec.rules[0]",
        "give either metric or emit",
    ),
    (
        "Adapter",
        {"rules.0.metric": None, "rules.0.emit": [{"metric": "hits"}], "rules.0.scale": 2},
        "spec.rules[0]",
        "labels and scale go with metric",
    ),
    (
        "Adapter",
        {"rules.0.source": "nowhere"},
        "spec.rules",
        "a rule refers to a source that isn't declared",
    ),
    (
        "Adapter",
        {"metrics": {"otlp": {"endpoint": "http://collector:4318", "interval": "999ms"}}},
        "spec.metrics.otlp.interval",
        "must be a time of 1s at least such as 60s",
    ),
    (
        "Adapter",
        {"metrics": {"otlp": {"endpoint": "https://collector:4318"}}},
        "spec.metrics.otlp.caSecretRef",
        "belongs to https: required with it",
    ),
    (
        "Adapter",
        {"metrics": {"otlp": {"endpoint": "http://c:4318", "caSecretRef": {"name": "a", "key": "b"}}}},
        "spec.metrics.otlp.caSecretRef",
        "belongs to https: required with it",
    ),
    (
        "Adapter",
        {"rules.0.source": "access"},
        "spec.rules",
        "a rule has regex when its source is of type log",
    ),
    (
        "Adapter",
        {"contract": {"name": "use/v1", "metrics": [{"name": "hits_total", "type": "counter"}]}},
        "spec.contract.metrics",
        "belongs to the contract custom",
    ),
    (
        "Adapter",
        {
            "contract": {
                "name": "custom",
                "metrics": [{"name": "hits_total", "type": "counter", "buckets": [1]}],
            }
        },
        "spec.contract.metrics[0].buckets",
        "only a histogram has buckets",
    ),
]


def test_a_redis_by_two_ports_is_taken(kubectl: Kubectl, crds: Path) -> None:
    reads = {"upstreams.1.redis.reads": READS, "upstreams.1.redis.readPolicy": "PreferReplica"}
    create(kubectl, "Ambassador", change(SPECS["Ambassador"], reads))


@pytest.mark.parametrize("kind", SPECS)
def test_an_object_that_keeps_all_rules_is_taken(kubectl: Kubectl, crds: Path, kind: str) -> None:
    create(kubectl, kind, SPECS[kind])


@pytest.mark.parametrize(
    ("kind", "changes", "path", "message"), BROKEN, ids=[f"{kind}-{path}" for kind, _, path, _ in BROKEN]
)
def test_a_broken_rule_is_named_with_its_field(
    kubectl: Kubectl, crds: Path, kind: str, changes: dict[str, Any], path: str, message: str
) -> None:
    with pytest.raises(KubectlError) as refused:
        create(kubectl, kind, change(SPECS[kind], changes))

    assert re.search(rf"{re.escape(path)}: Invalid value: .*{re.escape(message)}", str(refused.value))


def test_every_rule_is_broken_once() -> None:
    def rules(base: type[Model]) -> set[str]:
        return {v.message for v in base.validations}.union(*(rules(model) for model in base.__subclasses__()))

    untested = [rule for rule in rules(Model) if not any(rule.startswith(m) for *_, m in BROKEN)]

    assert untested == []


ENDPOINTS = ("db:1", "a_b.c-d.:65535", "A1:80", "192.0.2.1:443", "[2001:db8::1]:5432")
NO_ENDPOINTS = ("db", "db:", ":1", "db:0", "db:01", "db:65536", "a..b:1", "-a:1", "a b:1", "db:1\n", "dü:1")


def test_what_an_endpoint_may_look_like(kubectl: Kubectl, crds: Path) -> None:
    spec = SPECS["Ambassador"]
    create(kubectl, "Ambassador", change(spec, {"upstreams.0.endpoints": list(ENDPOINTS)}))
    with pytest.raises(KubectlError) as refused:
        create(kubectl, "Ambassador", change(spec, {"upstreams.0.endpoints": list(NO_ENDPOINTS)}))
    for i in range(len(NO_ENDPOINTS)):
        told = rf"spec\.upstreams\[0\]\.endpoints\[{i}\]: Invalid value: .*: must be host:port"
        assert re.search(told, str(refused.value))


def test_an_unknown_protocol_is_told_with_those_that_are_known(kubectl: Kubectl, crds: Path) -> None:
    spec = change(SPECS["Ambassador"], {"upstreams.0.protocol": "mysql"})
    told = r'spec\.upstreams\[0\]\.protocol: Unsupported value: "mysql": supported values: "redis", "tcp"'
    with pytest.raises(KubectlError, match=told):
        create(kubectl, "Ambassador", spec)


def test_a_name_leaves_room_for_the_pods_number(kubectl: Kubectl, crds: Path) -> None:
    create(kubectl, "SidecarApp", {}, name="n" * 57)
    with pytest.raises(KubectlError, match=r"metadata\.name: Too long: may not be more than 57"):
        create(kubectl, "SidecarApp", {}, name="n" * 58)


def test_two_items_of_one_name_are_refused(kubectl: Kubectl, crds: Path) -> None:
    twice = [{"name": "a", "mountPath": "/a"}, {"name": "a", "mountPath": "/b"}]
    with pytest.raises(KubectlError, match=r"spec\.sharedVolumes\[1\]: Duplicate value"):
        create(kubectl, "SidecarApp", {"sharedVolumes": twice})
