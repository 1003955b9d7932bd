"""Every spec field has one effect, and that effect is what a change of the field has.

Two objects of a kind differ in every field. Taking one field of the second into the first shows its effect.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from podpatterns.api.effect import Effect, leaves
from podpatterns.api.kinds import MODELS
from podpatterns.compose import HelperImages, recorded_spec
from podpatterns.compose.composition import pod_fragment
from podpatterns.compose.part import Part
from podpatterns.compose.revision import revision
from testbed.builders import pattern

Spec = dict[str, Any]

LEAVES = [
    (kind, path, found)
    for kind, model in MODELS.items()
    for path, found in leaves(model.model_fields["spec"].annotation)  # type: ignore[arg-type]
]

WITHOUT_CHOICE: set[str] = set()
"""Fields with a single value."""

WEB, LOG = {"name": "web", "image": "nginx"}, {"name": "log", "image": "busybox"}

COMMON: tuple[Spec, Spec] = (
    {
        "replicas": 1,
        "template": {"spec": {"containers": [WEB, LOG]}},
        "sharedVolumes": [
            {
                "name": "data",
                "mountPath": "/data",
                "sizeLimit": "1Gi",
                "medium": "Memory",
                "mounts": [{"container": "web", "mountPath": "/web", "readOnly": True, "subPath": "in"}],
            },
            {"name": "logs", "mountPath": "/logs"},
            {"name": "more", "mountPath": "/more"},
        ],
        "sharedMemory": "1Mi",
        "include": [
            {
                "kind": "SidecarApp",
                "name": "one",
                "namespace": "platform",
                "env": [{"name": "A", "value": "1"}],
                "resources": [{"container": "one", "limits": {"cpu": "1"}}],
            }
        ],
        "volumes": [{"name": "token", "secret": {"secretName": "one"}}],
        "initContainers": [{"name": "init", "image": "one"}],
        "env": [{"name": "A", "value": "1"}],
        "sharedWith": {"namespaces": ["one"]},
        "serviceName": "shop",
        "ordinals": {"start": 1},
        "podManagementPolicy": "OrderedReady",
        "volumeClaimTemplates": [
            {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": {"name": "disk", "labels": {"a": "1"}, "annotations": {"a": "1"}},
                "spec": {"resources": {"requests": {"storage": "1Gi"}}},
            }
        ],
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete", "whenScaled": "Delete"},
        "podNaming": "Stable",
        "podReplacementPolicy": "TerminatingOrFailed",
        "updateStrategy": {
            "type": "Recreate",
            "inPlace": {"containers": "All", "drainSeconds": 1, "resizeTimeoutSeconds": 1},
            "maxUnavailable": 1,
            "maxSurge": 1,
            "partition": 1,
            "paused": True,
        },
        "minReadySeconds": 1,
        "backoffLimit": 1,
        "progressDeadlineSeconds": 100,
        "revisionHistoryLimit": 1,
    },
    {
        "replicas": 2,
        "template": {"spec": {"containers": [WEB, {**LOG, "image": "busybox:2"}]}},
        "sharedVolumes": [
            {
                "name": "other",
                "mountPath": "/other",
                "sizeLimit": "2Gi",
                "mounts": [{"container": "log", "mountPath": "/log", "readOnly": False, "subPath": "out"}],
            },
        ],
        "sharedMemory": "2Mi",
        "include": [
            {
                "kind": "Adapter",
                "name": "two",
                "namespace": "others",
                "env": [{"name": "B", "value": "2"}],
                "resources": [{"container": "two", "limits": {"cpu": "2"}}],
            }
        ],
        "volumes": [{"name": "token", "secret": {"secretName": "two"}}],
        "initContainers": [{"name": "init", "image": "two"}],
        "env": [{"name": "B", "required": True}],
        "sharedWith": {"namespaces": ["two"]},
        "serviceName": "store",
        "ordinals": {"start": 2},
        "podManagementPolicy": "Parallel",
        "volumeClaimTemplates": [
            {
                "metadata": {"name": "files", "labels": {"b": "2"}, "annotations": {"b": "2"}},
                "spec": {"resources": {"requests": {"storage": "2Gi"}}},
            }
        ],
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        "podNaming": "Generated",
        "podReplacementPolicy": "Failed",
        "updateStrategy": {
            "type": "OnDelete",
            "inPlace": {"containers": "Helpers", "drainSeconds": 2, "resizeTimeoutSeconds": 2},
            "maxUnavailable": 2,
            "maxSurge": 2,
            "partition": 2,
            "paused": False,
        },
        "minReadySeconds": 2,
        "backoffLimit": 2,
        "progressDeadlineSeconds": 200,
        "revisionHistoryLimit": 2,
    },
)


def secret(name: str) -> Spec:
    return {"name": name, "key": f"key-of-{name}"}


def upstream(name: str, port: int, protocol: str, **fields: Any) -> Spec:
    fields.setdefault("listen", {"port": port})
    env = {"hostName": f"{name}_HOST".upper(), "portName": f"{name}_PORT".upper()}
    return {"name": name, "protocol": protocol, "env": env, **fields}


def tls(name: str) -> Spec:
    return {
        "serverName": name,
        "caSecretRef": secret(name),
        "certSecretRef": {"name": f"cert-{name}"},
        "insecureSkipVerify": name in {"cache", "api", "books"},
    }


def redis(name: str, **fields: Any) -> Spec:
    return {"endpoints": [f"{name}:6379"], **fields}


def splitting(name: str, port: int, policy: str, span: str) -> Spec:
    """A Redis with one port."""
    return upstream(
        name,
        port,
        "redis",
        redis=redis(
            name,
            sentinel={
                "masterName": name,
                "username": name,
                "authSecretRef": secret(f"sentinel-{name}"),
            },
            readPolicy=policy,
            readAfterWrite={"policy": "Causal" if policy == "Replica" else "PinPrimary", "window": span},
            monitorUsername=name,
            monitorAuthSecretRef=secret(f"monitor-{name}"),
            maxUnreadReplies=span.replace("s", "Mi"),
            maxReplicaLag=span,
            username=name,
            authSecretRef=secret(f"auth-{name}"),
            tls=tls(name),
        ),
    )


def with_reads(name: str, port: int) -> Spec:
    env = {"hostName": f"{name}_READS".upper(), "portName": f"{name}_READS_PORT".upper()}
    return upstream(
        name,
        port,
        "redis",
        redis=redis(
            name, readPolicy="PreferReplica", reads={"listen": {"port": port + 1}, "env": env}, tls=tls(name)
        ),
    )


def followed(name: str, port: int, mode: str, size: int) -> Spec:
    """A PostgreSQL with a port for reads."""
    env = {"hostName": f"{name}_READS".upper(), "portName": f"{name}_READS_PORT".upper()}
    return upstream(
        name,
        port,
        "postgres",
        postgres={
            "endpoints": [f"{name}:5432"],
            "username": name,
            "authSecretRef": secret(f"auth-{name}"),
            "database": name,
            "pooling": {"mode": mode, "size": size},
            "tls": tls(name),
            "reads": {
                "listen": {"port": port + 1},
                "env": env,
                "policy": "Replica" if size == 1 else "PreferReplica",
            },
        },
    )


def web(name: str, port: int, times: int, protocol: str = "http") -> Spec:
    return upstream(
        name,
        port,
        protocol,
        listen={"port": port, "unixSocket": {"volume": f"run-{name}", "name": f"{name}.sock"}},
        endpoints=[f"{name}:80"],
        required=times == 1,
        tls=tls(name),
        retries={"attempts": times, "retryOn": [str(500 + times)]},
        circuitBreaker={"maxConnections": times, "consecutiveErrors": times},
        timeouts={"connect": f"{times}s", "request": f"{times}m", "idle": f"{times}h"},
        healthCheck={"interval": f"{times}s", "unhealthyThreshold": times, "path": f"/{times}"},
    )


def proxy(port: int, tag: str, when: str) -> Spec:
    return {"startWhen": when, "metricsPort": port, **altered(port, tag)}


def altered(amount: int, tag: str) -> Spec:
    return {"resources": {"limits": {"memory": f"{amount}Ki"}}, "container": {"imagePullPolicy": tag}}


def local(image: str) -> Spec:
    return {"container": {"name": "dev", "image": image}}


def syslog(port: int, name: str, lines: str) -> Spec:
    files = {f: {"volume": f"log-{name}", "path": f"{f}-{name}"} for f in ("socket", "streamSocket")}
    return source("sys", "syslog", port=port, format=lines, **files)


def derived(name: str) -> list[Spec]:
    by_regex = {"name": name, "from": name, "regex": name, "replacement": name, "default": name}
    return [by_regex, {"name": "x", "from": "y", "map": {"0": name}}]


def source(name: str, kind: str, **fields: Any) -> Spec:
    return {"name": name, "type": kind, kind: fields}


def page(name: str, interval: str, status: int) -> Spec:
    return {
        "url": f"https://127.0.0.1/{name}",
        "interval": interval,
        "body": name,
        "validStatuses": [status],
        "socket": {"volume": f"run-{name}", "path": name},
        "headersSecretRef": secret(f"headers-{name}"),
        "basicAuthSecret": f"user-{name}",
        "clientCertificateSecret": f"client-{name}",
        "caSecretRef": secret(f"ca-{name}"),
    }


def emitted(name: str, label: str, scale: float) -> Spec:
    labels = {label: "x"}
    return {
        "metric": f"{name}_total",
        "labels": labels,
        "when": f"{label} > 1",
        "value": label,
        "scale": scale,
        "aggregation": "min" if name == "a" else "avg",
    }


PAIRS: list[tuple[str, Spec, Spec]] = [
    ("SidecarApp", {"sidecars": [{"name": "s", "image": "a"}]}, {"sidecars": [{"name": "s", "image": "b"}]}),
    (
        "Ambassador",
        {
            "upstreams": [
                splitting("cache", 6379, "Primary", "1s"),
                with_reads("pairs", 6400),
                web("api", 8081, 1),
                followed("books", 5432, "Session", 1),
            ],
            "proxy": proxy(8404, "Always", "Listening"),
        },
        {
            "upstreams": [
                splitting("store", 6479, "Replica", "2s"),
                with_reads("twins", 6500),
                web("www", 8181, 2, "grpc"),
                followed("films", 5532, "Transaction", 2),
            ],
            "proxy": proxy(8504, "Never", "Healthy"),
        },
    ),
    (
        "Ambassador",
        {
            "upstreams": [upstream("db", 5432, "tcp", endpoints=["db:5432"], local=local("a"))],
            "mode": "Local",
        },
        {
            "upstreams": [upstream("db", 5432, "tcp", endpoints=["db:5432"], local=local("b"))],
            "mode": "Proxy",
        },
    ),
    (
        "Adapter",
        {
            "contract": {
                "name": "custom",
                "labels": {"team": "a"},
                "metrics": [
                    {"name": "a_total", "type": "counter", "labels": ["code"], "buckets": [1.0], "help": "a"}
                ],
                "buckets": [1.0],
            },
            "metrics": {
                "port": 9090,
                "path": "/metrics",
                "maxSeries": 1,
                "ttl": "1s",
                "createdTimestamps": False,
                "discovery": "Both",
                "otlp": {
                    "compression": "gzip",
                    "temporality": "cumulative",
                    "endpoint": "https://a:4318",
                    "interval": "1s",
                    "timeout": "1s",
                    "headersSecretRef": secret("headers-a"),
                    "caSecretRef": secret("ca-a"),
                },
            },
            "adapter": altered(9090, "Always"),
            "sources": [
                source("page", "json", **page("a", "1s", 200)),
                source("text", "prometheus", **page("a", "1s", 200)),
                source("file", "log", volume="logs", path="a.log", files="newest", format="regex"),
                source("udp", "statsd", port=8125, socket={"volume": "run-a", "path": "a.sock"}),
                syslog(5140, "a", "regex"),
                source("cpu", "proc", command="a", interval="1s"),
            ],
            "rules": [
                {
                    "source": "page",
                    "path": "a",
                    "metric": "a_total",
                    "labels": {"code": "a"},
                    "scale": 2.0,
                    "identity": "a",
                    "groups": derived("a"),
                    "aggregation": "sum",
                },
                {"source": "file", "regex": "a", "emit": [emitted("a", "code", 2.0)]},
            ],
        },
        {
            "contract": {
                "name": "red/v1",
                "labels": {"team": "b"},
                "metrics": [
                    {"name": "b_total", "type": "gauge", "labels": ["method"], "buckets": [2.0], "help": "b"}
                ],
                "buckets": [2.0],
            },
            "metrics": {
                "port": 9191,
                "path": "/other",
                "maxSeries": 2,
                "ttl": "2s",
                "createdTimestamps": True,
                "discovery": "PodMonitor",
                "otlp": {
                    "compression": None,
                    "temporality": "delta",
                    "endpoint": "https://b:4318",
                    "interval": "2s",
                    "timeout": "2s",
                    "headersSecretRef": secret("headers-b"),
                    "caSecretRef": secret("ca-b"),
                },
            },
            "adapter": altered(9191, "Never"),
            "sources": [
                {**source("other", "json", **page("b", "2s", 503)), "type": "prometheus"},
                source("text", "prometheus", **page("b", "2s", 503)),
                source("file", "log", volume="more", path="b.log", files="all", format="json"),
                source("udp", "statsd", port=8126, socket={"volume": "run-b", "path": "b.sock"}),
                syslog(5141, "b", "json"),
                source("cpu", "proc", command="b", interval="2s"),
            ],
            "rules": [
                {
                    "source": "text",
                    "path": "b",
                    "metric": "b_total",
                    "labels": {"code": "b"},
                    "scale": 3.0,
                    "identity": "b",
                    "groups": derived("b"),
                    "aggregation": "max",
                },
                {"source": "cpu", "regex": "b", "emit": [emitted("b", "method", 3.0)]},
            ],
        },
    ),
]


@pytest.mark.parametrize(("kind", "path", "found"), LEAVES)
def test_a_field_has_one_effect(kind: str, path: str, found: frozenset[Effect]) -> None:
    """A field without an effect would neither be rolled out nor kept in the history: give it one in its model
    (podpatterns.api.effect)."""
    assert len(found) == 1, f"{kind} spec.{path} has {sorted(e.value for e in found)}"


class Outcome(NamedTuple):
    revision: str
    files: dict[str, str]
    recorded: Spec


def outcome(kind: str, spec: Spec) -> Outcome:
    app = pattern(kind, "shop", spec)
    fragment = pod_fragment(Part(app, 0, "config"), HelperImages())
    files = {file.container: file.text for file in fragment.files}
    return Outcome(revision([(app, fragment.shape)]), files, recorded_spec(app))


def changed(one: Any, other: Any, path: list[str]) -> Iterator[Any]:
    """Yield copies of `one` with the field of `other`, once for each place where they differ in it."""
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return
    step, rest = path[0], path[1:]
    name = step.removesuffix("[]")
    if not rest:
        if one.get(name) != other.get(name):
            yield {**{k: v for k, v in one.items() if k != name}, **{k: other[k] for k in other if k == name}}
    elif step.endswith("[]"):
        for i, pair in enumerate(zip(one.get(name, ()), other.get(name, ()), strict=False)):
            for item in changed(*pair, rest):
                items = [*one[name][:i], item, *one[name][i + 1 :]]
                yield {**one, name: items}
    else:
        for value in changed(one.get(name), other.get(name), rest):
            yield {**one, name: value}


@pytest.mark.parametrize(
    ("kind", "path", "effect"),
    [(kind, path, effect) for kind, path, found in LEAVES if path not in WITHOUT_CHOICE for effect in found],
)
def test_a_change_has_the_effect_of_its_field(kind: str, path: str, effect: Effect) -> None:
    pairs = [({**COMMON[0], **a}, {**COMMON[1], **b}) for k, a, b in PAIRS if k == kind]
    cases = [(one, new) for one, other in pairs for new in changed(one, other, path.split("."))]
    assert cases, "the two objects don't differ in this field: give it two values above"
    for old_spec, new_spec in cases:
        old, new = outcome(kind, old_spec), outcome(kind, new_spec)
        assert (old.revision != new.revision) == (effect is Effect.SHAPES_POD)
        recorded = (Effect.SHAPES_POD, Effect.CONFIGURES_HELPER, Effect.SHAPES_CLAIM)
        assert (old.recorded != new.recorded) == (effect in recorded)
        if effect is not Effect.SHAPES_POD:
            assert (old.files != new.files) == (effect is Effect.CONFIGURES_HELPER)
