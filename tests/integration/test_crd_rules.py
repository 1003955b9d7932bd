"""Each rule about fields that concern each other, broken once."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from podpatterns.api.crd import definitions
from testbed.cluster.control_plane import ControlPlane
from testbed.cluster.kubectl import Kubectl, KubectlError
from testbed.eventually import eventually
from testbed.manifests import manifest

PG = {"endpoints": ["pg:5432"], "username": "shop"}
POSTGRES = {"name": "db", "protocol": "postgres", "listen": {"port": 1}, "postgres": PG}

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


@pytest.fixture
def stored(control_plane: ControlPlane, namespace: str) -> Kubectl:
    """For what is stored to be changed."""
    return Kubectl(control_plane.kubeconfig, namespace)


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
    text = yaml.safe_dump(manifest(kind, name, spec))
    kubectl("create", "--filename=-", "--dry-run=server", stdin=text)


READS = {"listen": {"port": 3}}
PART = {"kind": "SidecarApp", "name": "part"}


def template(**metadata: Any) -> dict[str, Any]:
    return {"metadata": metadata, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}


RESERVED = {"team": "shop", "podpatterns.dev/name": "pay"}
OTHERS = {"podpatterns.dev.example.com/name": "pay", "example.com/podpatterns.dev": "", "app": "x"}

CLAIM = {"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": "1Gi"}}}}

BROKEN: list[tuple[str, dict[str, Any], str, str]] = [
    (
        "SidecarApp",
        {"template": template(), "podNaming": "Generated", "serviceName": "site"},
        "spec.serviceName",
        "needs podNaming Stable",
    ),
    (
        "SidecarApp",
        {"template": template(), "podNaming": "Generated", "volumeClaimTemplates": [CLAIM]},
        "spec.volumeClaimTemplates",
        "needs podNaming Stable",
    ),
    (
        "SidecarApp",
        {"podNaming": "Generated", "ordinals": {"start": 1}},
        "spec.ordinals",
        "needs podNaming Stable",
    ),
    (
        "SidecarApp",
        {"podNaming": "Generated", "podManagementPolicy": "OrderedReady"},
        "spec.podManagementPolicy",
        "needs podNaming Stable",
    ),
    (
        "SidecarApp",
        {"ordinals": {"start": 99_999}, "replicas": 2},
        "spec.ordinals.start",
        "start + replicas may not exceed 100000",
    ),
    (
        "SidecarApp",
        {"serviceName": "site"},
        "spec.serviceName",
        "a part (an object without template) has no Pods: set serviceName",
    ),
    (
        "SidecarApp",
        {"volumeClaimTemplates": [CLAIM]},
        "spec.volumeClaimTemplates",
        "a part (an object without template) has no Pods: set volumeClaimTemplates",
    ),
    (
        "SidecarApp",
        {"template": template(), "volumeClaimTemplates": [CLAIM, CLAIM]},
        "spec.volumeClaimTemplates",
        "two templates have one name",
    ),
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
        {"updateStrategy": {"inPlace": {"drainSeconds": 5}}},
        "spec.updateStrategy.inPlace.drainSeconds",
        "needs containers All",
    ),
    (
        "SidecarApp",
        {"minReadySeconds": 600},
        "spec.progressDeadlineSeconds",
        "must be more than minReadySeconds",
    ),
    (
        "SidecarApp",
        {"backoffLimit": 1, "template": template()},
        "spec.backoffLimit",
        "needs restartPolicy OnFailure or Never",
    ),
    (
        "SidecarApp",
        {"template": template(), "include": [{"kind": "SidecarApp", "name": "x"}]},
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
    *(
        (kind, changes, path, message)
        for kind in SPECS
        for changes, path, message in (
            (
                {"template": template(labels=RESERVED)},
                "spec.template.metadata.labels",
                "labels of podpatterns.dev are the operator's own: take out those that begin with",
            ),
            (
                {"template": template(annotations=RESERVED)},
                "spec.template.metadata.annotations",
                "annotations of podpatterns.dev are the operator's own: take out those that begin with",
            ),
            (
                {"include": [PART]},
                "spec.include",
                "a part (an object without template) can't include parts: include them in the application",
            ),
        )
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
        {"upstreams.1.listen.unixSocket": {"volume": "run", "name": "redis.sock"}},
        "spec.upstreams[1].listen.unixSocket",
        "protocol redis has a port alone",
    ),
    (
        "Ambassador",
        {"upstreams.1.timeouts": {}},
        "spec.upstreams[1].timeouts",
        "protocol redis has none",
    ),
    (
        "Ambassador",
        {"upstreams.0.timeouts": {"request": "1s"}},
        "spec.upstreams[0].timeouts.request",
        "needs protocol http or grpc",
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
        ("Ambassador", {"upstreams.0": {**POSTGRES, **changes}}, f"spec.upstreams{path}", message)
        for changes, path, message in (
            ({"protocol": "tcp"}, "[0].postgres", "belongs to protocol postgres"),
            ({"endpoints": ["db:1"]}, "[0].endpoints", "or postgres is there"),
            ({"tls": {}}, "[0].tls", "there is postgres.tls instead"),
            ({"retries": {}}, "[0].retries", "PgBouncer has none"),
            ({"circuitBreaker": {}}, "[0].circuitBreaker", "or set postgres.pooling.size"),
            ({"timeouts": {}}, "[0].timeouts", "PgBouncer has none"),
            (
                {"listen": {"port": 1, "unixSocket": {"volume": "run", "name": "x"}}},
                "[0].listen.unixSocket",
                "PgBouncer has a port alone",
            ),
            (
                {"postgres": {**PG, "username": "pgbouncer"}},
                "[0].postgres.username",
                "PgBouncer keeps this name",
            ),
            (
                {"postgres": {**PG, "database": "pgbouncer"}},
                "[0].postgres.database",
                "PgBouncer keeps this name",
            ),
            ({"postgres": {**PG, "reads": {"listen": {"port": 2}}}}, "", "the port of postgres.reads is"),
        )
    ),
    *(
        ("Ambassador", {"upstreams.1.redis.reads": READS, **changes}, path, message)
        for changes, path, message in (
            ({}, "spec.upstreams[1].redis.readPolicy", "a port for reads needs PreferReplica or Replica"),
            (
                {"upstreams.1.redis.readPolicy": "Replica", "upstreams.1.redis.readAfterWrite": {}},
                "spec.upstreams[1].redis.readAfterWrite",
                "the connections of a port for reads write nothing: choose policy Causal",
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
        {"upstreams.1.redis.readAfterWrite": {"policy": "Causal", "window": "1s"}},
        "spec.upstreams[1].redis.readAfterWrite.window",
        "belongs to PinPrimary",
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
        {"sources.0.syslog": {"port": 5514}},
        "spec.sources[0].syslog",
        "belongs to type syslog",
    ),
    (
        "Adapter",
        {"sources.0.type": "syslog", "sources.0.json": None, "sources.0.syslog": {"format": "json"}},
        "spec.sources[0].syslog",
        "give port, socket or streamSocket",
    ),
    (
        "Adapter",
        {"rules.0.groups": [{"name": "a", "from": "b"}]},
        "spec.rules[0].groups[0]",
        "give either regex or map",
    ),
    (
        "Adapter",
        {"rules.0.groups": [{"name": "a", "from": "b", "map": {"0": "ok"}, "replacement": "z"}]},
        "spec.rules[0].groups[0].replacement",
        "belongs to regex",
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
        "labels, scale and aggregation go with metric",
    ),
    (
        "Adapter",
        {"rules.0.source": "nowhere"},
        "spec.rules",
        "a rule refers to a source that isn't declared",
    ),
    (
        "Adapter",
        {"metrics": {"ttl": "999ms"}},
        "spec.metrics.ttl",
        "must be a time of 1s at least such as 1h",
    ),
    (
        "Adapter",
        {"sources.0.json.caSecretRef": {"name": "a", "key": "b"}},
        "spec.sources[0].json.caSecretRef",
        "belongs to an https URL",
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
        "a rule has regex when its source gives lines without a format, and path otherwise",
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


def test_a_postgres_that_is_followed_is_taken(kubectl: Kubectl, crds: Path) -> None:
    fields = {**PG, "reads": {"listen": {"port": 3}}, "pooling": {"mode": "Transaction"}, "tls": {}}
    create(
        kubectl, "Ambassador", change(SPECS["Ambassador"], {"upstreams.0": {**POSTGRES, "postgres": fields}})
    )


def test_a_redis_by_two_ports_is_taken(kubectl: Kubectl, crds: Path) -> None:
    reads = {"upstreams.1.redis.reads": READS, "upstreams.1.redis.readPolicy": "PreferReplica"}
    create(kubectl, "Ambassador", change(SPECS["Ambassador"], reads))
    causal = {
        "upstreams.1.redis.readAfterWrite": {"policy": "Causal"},
        "upstreams.1.redis.maxReplicaLag": "1s",
    }
    create(kubectl, "Ambassador", change(SPECS["Ambassador"], {**reads, **causal}))


@pytest.mark.parametrize("one", [{}, {"policy": "Causal"}, {"window": "1s"}], ids=str)
def test_read_after_write_needs_no_field(kubectl: Kubectl, crds: Path, one: dict[str, str]) -> None:
    create(kubectl, "Ambassador", change(SPECS["Ambassador"], {"upstreams.1.redis.readAfterWrite": one}))


def test_retries_of_connections_need_no_conditions(kubectl: Kubectl, crds: Path) -> None:
    create(kubectl, "Ambassador", change(SPECS["Ambassador"], {"upstreams.0.retries": {"attempts": 2}}))


@pytest.mark.parametrize("kind", SPECS)
def test_an_object_that_keeps_all_rules_is_taken(kubectl: Kubectl, crds: Path, kind: str) -> None:
    create(kubectl, kind, SPECS[kind])
    app = {"template": template(labels=OTHERS, annotations=OTHERS), "include": [PART]}
    create(kubectl, kind, {**SPECS[kind], **app})


@pytest.mark.parametrize("kind", SPECS)
def test_an_application_stays_one(stored: Kubectl, crds: Path, kind: str) -> None:
    """Pods would be left behind; the Pods of a deleted object are collected."""

    def apply(**spec: Any) -> None:
        stored.apply(manifest(kind, "x", {**SPECS[kind], **spec}))

    apply()
    apply(template=template())
    apply(template=template(labels={"app": "x"}), replicas=0)
    told = (
        r"spec\.template: Invalid value: .*can't be taken out of an object that makes Pods: delete the object"
    )
    with pytest.raises(KubectlError, match=told):
        apply()
    patch = '[{"op": "remove", "path": "/spec/template"}]'
    with pytest.raises(KubectlError, match=told):
        stored("patch", f"{kind.lower()}/x", "--type=json", f"--patch={patch}")
    stored(
        "patch",
        f"{kind.lower()}/x",
        "--subresource=status",
        "--type=merge",
        '--patch={"status":{"replicas":1}}',
    )
    stored("delete", f"{kind.lower()}/x")
    apply()


GROUP_OF_OLD = "old.example.com"


def definition_with(crds: Path, rules: bool) -> dict[str, Any]:
    """SidecarApps under a name of the test's own, with or without the rules about labels.

    kubectl remembers kinds for hours: under their own name it would take those for these in later tests.
    """
    definition: dict[str, Any] = yaml.safe_load((crds / "podpatterns.dev_sidecarapps.yaml").read_text())
    definition["metadata"]["name"] = f"oldapps.{GROUP_OF_OLD}"
    definition["spec"]["group"] = GROUP_OF_OLD
    definition["spec"]["names"] = {"kind": "OldApp", "plural": "oldapps"}
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    labels = schema["properties"]["template"]["properties"]["metadata"]["properties"]["labels"]
    if not rules:
        del labels["x-kubernetes-validations"]
    return definition


def test_what_was_stored_before_a_rule_can_still_be_scaled_and_mended(stored: Kubectl, crds: Path) -> None:
    """The API server lets alone what a change does not touch."""

    def app(labels: dict[str, str], replicas: int, name: str = "x") -> dict[str, Any]:
        spec = {"replicas": replicas, "template": template(labels=labels)}
        return {**manifest("OldApp", name, spec), "apiVersion": f"{GROUP_OF_OLD}/v1alpha1"}

    def is_taken(obj: dict[str, Any]) -> bool:
        try:
            stored("apply", "--server-side", "--dry-run=server", "--filename=-", stdin=yaml.safe_dump(obj))
        except KubectlError as error:
            if "are the operator's own" not in str(error):
                raise
            return False
        return True

    def is_served() -> bool:
        try:
            stored("get", f"oldapps.{GROUP_OF_OLD}")
        except KubectlError:
            return False
        return True

    stored.apply(definition_with(crds, rules=False))
    try:
        eventually(is_served)
        stored.apply(app(RESERVED, 1))
        stored.apply(definition_with(crds, rules=True))
        eventually(lambda: not is_taken(app(RESERVED, 1, "new")))
        stored.apply(app(RESERVED, 2))
        assert not is_taken(app({**RESERVED, "podpatterns.dev/kind": "x"}, 2))
        stored.apply(app(OTHERS, 2))
        assert not is_taken(app(RESERVED, 2))
    finally:
        stored("delete", f"crd/oldapps.{GROUP_OF_OLD}", "--wait=false")


@pytest.mark.parametrize(
    ("kind", "changes", "path", "message"), BROKEN, ids=[f"{kind}-{path}" for kind, _, path, _ in BROKEN]
)
def test_a_broken_rule_is_named_with_its_field(
    kubectl: Kubectl, crds: Path, kind: str, changes: dict[str, Any], path: str, message: str
) -> None:
    with pytest.raises(KubectlError) as refused:
        create(kubectl, kind, change(SPECS[kind], changes))

    assert re.search(rf"{re.escape(path)}: Invalid value: .*{re.escape(message)}", str(refused.value))


def rules(schema: Any) -> Iterator[str]:
    """The messages of all rules in a schema."""
    if isinstance(schema, dict):
        yield from (rule["message"] for rule in schema.get("x-kubernetes-validations", ()))
        yield from (message for child in schema.values() for message in rules(child))


def test_every_rule_is_broken_once() -> None:
    tested = [
        *(message for *_, message in BROKEN),
        "can't be taken out of an object that makes Pods",
        "the object's name has a dot",
    ]
    found = {
        message
        for definition in definitions().values()
        for message in rules(definition["spec"]["versions"][0])
    }

    assert [rule for rule in found if not any(rule.startswith(message) for message in tested)] == []
    assert len(found) > 30


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


def test_a_service_name_needs_a_name_without_a_dot(kubectl: Kubectl, crds: Path) -> None:
    spec = {"template": template(), "serviceName": "site"}
    create(kubectl, "SidecarApp", spec, name="site-v2")
    told = r"spec\.serviceName: Invalid value: the object's name has a dot"
    with pytest.raises(KubectlError, match=told):
        create(kubectl, "SidecarApp", spec, name="site.v2")


def test_two_items_of_one_name_are_refused(kubectl: Kubectl, crds: Path) -> None:
    twice = [{"name": "a", "mountPath": "/a"}, {"name": "a", "mountPath": "/b"}]
    with pytest.raises(KubectlError, match=r"spec\.sharedVolumes\[1\]: Duplicate value"):
        create(kubectl, "SidecarApp", {"sharedVolumes": twice})


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        (
            {"volumes": [{"name": f"v{i}"} for i in range(4_000)]},
            "spec.template.spec.volumes: Too many: 4000",
        ),
        (
            {"containers": [{"name": f"c{i}"} for i in range(65)]},
            "spec.template.spec.containers: Too many: 65: must have at most 64 items",
        ),
        (
            {
                "containers": [
                    {"name": "c", "volumeMounts": [{"name": "v", "mountPath": f"/{i}"} for i in range(257)]}
                ]
            },
            "spec.template.spec.containers[0].volumeMounts: Too many: 257: must have at most 256 items",
        ),
        (
            {"containers": [{"name": "c", "env": [{"name": f"E{i}"} for i in range(513)]}]},
            "spec.template.spec.containers[0].env: Too many: 513: must have at most 512 items",
        ),
    ],
    ids=["volumes", "containers", "volumeMounts", "env"],
)
def test_more_than_any_pod_has_is_refused(
    kubectl: Kubectl, crds: Path, spec: dict[str, Any], told: str
) -> None:
    pod = {"containers": [{"name": "web"}], **spec}
    with pytest.raises(KubectlError, match=re.escape(told)):
        create(kubectl, "SidecarApp", {"template": {"spec": pod}})
