"""Each problem that composing one object can tell, with an object that has it: refused at the door too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from testbed.manifests import manifest


@dataclass(frozen=True)
class Row:
    said_by: str
    """The function of `compose` that tells the problem."""
    kind: str
    spec: dict[str, Any]
    path: str
    message: str
    by_crd: bool = False
    """True if a rule of the CRD refuses it, in other words."""
    name: str = "site"

    @property
    def manifest(self) -> dict[str, Any]:
        return manifest(self.kind, self.name, self.spec)

    def __str__(self) -> str:
        return f"{self.said_by.rpartition('/')[2]}-{self.path}"


WEB = {"name": "web", "image": "web:1"}
STATS = {"name": "stats", "type": "json", "json": {"url": "http://127.0.0.1:1/"}}
PAGE = {"name": "page", "type": "prometheus", "prometheus": {"url": "http://127.0.0.1:1/"}}
LOG = {"name": "access", "type": "log", "log": {"volume": "logs", "path": "x"}}
PROC = {"name": "proc", "type": "proc", "proc": {"command": "x"}}
HITS = {"source": "stats", "path": "hits", "metric": "app_hits_total"}


def of(*containers: dict[str, Any], **pod: Any) -> dict[str, Any]:
    return {"spec": {"containers": list(containers) or [WEB], **pod}}


def listening(name: str, *ports: Any, **fields: Any) -> dict[str, Any]:
    written = [port if isinstance(port, dict) else {"containerPort": port} for port in ports]
    return {"name": name, "image": "x:1", "ports": written, **fields}


def tcp(name: str, port: int, **fields: Any) -> dict[str, Any]:
    return {"name": name, "protocol": "tcp", "listen": {"port": port}, "endpoints": ["db:1"], **fields}


def socket(name: str, volume: str = "run") -> dict[str, Any]:
    return {"listen": {"port": 1, "unixSocket": {"volume": volume, "name": name}}}


def sidecarapp(said_by: str, path: str, message: str, template: Any = None, **spec: Any) -> Row:
    return Row(said_by, "SidecarApp", {"template": template or of(), **spec}, path, message)


def ambassador(said_by: str, path: str, message: str, *upstreams: Any, **spec: Any) -> Row:
    return Row(said_by, "Ambassador", {"template": of(), "upstreams": list(upstreams), **spec}, path, message)


def adapter(said_by: str, path: str, message: str, *rules: Any, by_crd: bool = False, **spec: Any) -> Row:
    written = {
        "template": of(),
        "sources": [STATS, PAGE, LOG, PROC],
        "sharedVolumes": [LOGS],
        "rules": [*rules],
    }
    return Row(said_by, "Adapter", {**written, **spec}, path, message, by_crd=by_crd)


LOGS = {"name": "logs", "mountPath": "/logs"}
OWN = {"name": "custom", "metrics": [{"name": "own_total", "type": "counter"}]}

ROWS = (
    sidecarapp(
        "composition._too_many",
        "spec",
        "the Pod would have 129 containers",
        of(*({"name": f"c{i}", "image": "x:1"} for i in range(64)), initContainers=[WEB]),
        sidecars=[{"name": f"s{i}", "image": "x:1"} for i in range(64)],
    ),
    adapter(
        "composition._too_many",
        "spec",
        "metrics, labels and endpoints in its helpers' configuration: 2048 are the most",
        *[
            {
                "source": "stats",
                "path": "x",
                "emit": [
                    {"metric": f"app_{i}_total", "labels": {f"l{j}": "x" for j in range(16)}}
                    for i in range(16)
                ],
            }
        ]
        * 8,
    ),
    sidecarapp(
        "rules/containers.no_container",
        "spec.template.spec.containers",
        "the application has no container: name at least one",
        {"spec": {"containers": []}},
    ),
    sidecarapp(
        "rules/containers.name_problems",
        "spec.template.spec.containers[0].name",
        '"web" is taken by spec.sidecars[0]',
        sidecars=[WEB],
    ),
    ambassador(
        "rules/containers.name_problems",
        "spec.template.spec.containers[0].name",
        '"haproxy" is taken by a helper that the operator adds',
        tcp("db", 1),
        template=of({"name": "haproxy", "image": "x:1"}),
    ),
    adapter(
        "rules/containers.process_problems",
        "spec.template.spec.shareProcessNamespace",
        "take this field out",
        template=of(shareProcessNamespace=False),
    ),
    sidecarapp(
        "rules/ports.port_problems",
        "spec.template.spec.containers[0].ports[0].containerPort",
        "TCP port 80 is taken by spec.sidecars[0].ports[0].containerPort",
        of(listening("web", 80)),
        sidecars=[listening("helper", 80)],
    ),
    sidecarapp(
        "rules/ports.port_problems",
        "spec.template.spec.containers[1].ports[0].containerPort",
        "UDP port 53 is taken by spec.template.spec.containers[0].ports[0].containerPort",
        of(*(listening(name, {"containerPort": 53, "protocol": "UDP"}) for name in ("a", "b"))),
    ),
    ambassador(
        "rules/ports.port_problems",
        "spec.template.spec.containers[0].ports[0].containerPort",
        "TCP port 5432 is taken by spec.upstreams[0].listen.port",
        tcp("db", 5432),
        template=of(listening("web", 5432)),
    ),
    ambassador(
        "rules/ports.port_problems",
        "spec.template.spec.containers[0].ports[0].containerPort",
        "TCP port 8404 is taken by spec.proxy.metricsPort",
        tcp("db", 5432),
        template=of(listening("web", 8404)),
    ),
    adapter(
        "rules/ports.port_problems",
        "spec.template.spec.containers[0].ports[0].containerPort",
        "TCP port 9090 is taken by spec.metrics.port",
        template=of(listening("web", 9090)),
    ),
    sidecarapp(
        "rules/ports.host_port_problems",
        "spec.template.spec.containers[1].ports[0].hostPort",
        "port 80 of the node is taken by spec.template.spec.containers[0].ports[0].hostPort",
        of(*(listening(f"c{port}", {"containerPort": port, "hostPort": 80}) for port in (81, 82))),
    ),
    sidecarapp(
        "rules/volumes.volume_problems",
        "spec.template.spec.volumes[0].name",
        '"shared-memory" is the volume of spec.sharedMemory',
        of(volumes=[{"name": "shared-memory", "emptyDir": {}}]),
        sharedMemory="1Mi",
    ),
    ambassador(
        "rules/volumes.volume_problems",
        "spec.template.spec.volumes[0].name",
        '"haproxy-run" holds a helper\'s configuration',
        tcp("db", 1),
        template=of(volumes=[{"name": "haproxy-run", "emptyDir": {}}]),
    ),
    sidecarapp(
        "rules/volumes.volume_problems",
        "spec.volumeClaimTemplates[0].metadata.name",
        '"shared-memory" is a volume that the operator adds',
        volumeClaimTemplates=[{"metadata": {"name": "shared-memory"}, "spec": {}}],
    ),
    sidecarapp(
        "rules/volumes._declaration_problems",
        "spec.sharedVolumes[0].name",
        '"logs" is already a volume of the Pod',
        of(volumes=[{"name": "logs", "emptyDir": {}}]),
        sharedVolumes=[LOGS],
    ),
    sidecarapp(
        "rules/volumes._declaration_problems",
        "spec.sharedVolumes[0].mounts[0].container",
        'no container is named "wbe": the Pod has web',
        sharedVolumes=[{**LOGS, "mounts": [{"container": "wbe"}]}],
    ),
    sidecarapp(
        "rules/volumes._unknown_mounts",
        "spec.template.spec.containers[0].volumeMounts[0].name",
        'no volume is named "lgos": declare it',
        of({**WEB, "volumeMounts": [{"name": "lgos", "mountPath": "/x"}]}),
        sharedVolumes=[LOGS],
    ),
    adapter(
        "rules/volumes._unknown_mounts",
        "spec.sources[2].log.volume",
        'no volume is named "logs"',
        sharedVolumes=[],
    ),
    ambassador(
        "rules/volumes._unknown_mounts",
        "spec.upstreams[0].listen.unixSocket.volume",
        'no volume is named "run"',
        tcp("db", 1, **socket("s")),
    ),
    sidecarapp(
        "rules/volumes._mounts_in_one_place",
        "spec.template.spec.containers[0].volumeMounts",
        'volumes "own" and "logs" both want /logs',
        of({**WEB, "volumeMounts": [{"name": "own", "mountPath": "/logs/"}]}, volumes=[{"name": "own"}]),
        sharedVolumes=[LOGS],
    ),
    ambassador(
        "rules/variables.variable_problems",
        "spec.upstreams[1].env.portName",
        '"DB" is 127.0.0.1 by spec.upstreams[0].env.hostName',
        tcp("a", 1, env={"hostName": "DB"}),
        tcp("b", 2, env={"portName": "DB"}),
    ),
    ambassador(
        "rules/variables.variable_problems",
        "spec.upstreams[0].env.hostName",
        '"DB" is already set by spec.template.spec.containers[0].env[0]',
        tcp("a", 1, env={"hostName": "DB"}),
        template=of({**WEB, "env": [{"name": "DB", "value": "x"}]}),
    ),
    Row(
        "ambassador._local",
        "Ambassador",
        {"template": of(), "mode": "Local", "upstreams": [tcp("db", 1)]},
        "spec.upstreams",
        "in mode Local every upstream needs local.container",
        by_crd=True,
    ),
    ambassador(
        "ambassador._endpoint_problems",
        "spec.upstreams[0].endpoints[0]",
        "[abc]:1 has no IPv6 address in its brackets",
        tcp("db", 1, endpoints=["[abc]:1"]),
    ),
    ambassador(
        "helpers/proxy.problems",
        "spec.proxy.metricsPort",
        "each of an Ambassador's proxies takes the next port: give at most 65534",
        tcp("db", 1),
        {"name": "r", "protocol": "redis", "listen": {"port": 2}, "redis": {"endpoints": ["r:1"]}},
        proxy={"metricsPort": 65535},
    ),
    ambassador(
        "helpers/proxy.problems",
        "spec.upstreams[1].listen.unixSocket",
        "another upstream has this socket",
        tcp("a", 1, **socket("s")),
        tcp("b", 2, listen={**socket("s")["listen"], "port": 2}),
        sharedVolumes=[{"name": "run", "mountPath": "/run/x"}],
    ),
    ambassador(
        "helpers/proxy.problems",
        "spec.upstreams[0].listen.unixSocket",
        "a socket's path can't be so long: 76 characters for both names",
        tcp("a", 1, **socket("s" * 60, "v" * 60)),
        sharedVolumes=[{"name": "v" * 60, "mountPath": "/run/x"}],
    ),
    Row(
        "part.name_problems",
        "Adapter",
        {"sources": [STATS]},
        "metadata.name",
        "longer than 55 characters: containers are named after it",
        name="n" * 56,
    ),
    Row(
        "part.name_problems",
        "Ambassador",
        {"upstreams": [tcp("db", 1)]},
        "metadata.name",
        "longer than 51 characters: containers are named after it",
        name="n" * 52,
    ),
    adapter(
        "rules/metricrules.rule_problems",
        "spec.rules",
        "a rule refers to a source that isn't declared",
        {**HITS, "source": "nobody"},
        by_crd=True,
    ),
    adapter(
        "rules/metricrules._socket_problems",
        "spec.sources[0].syslog.streamSocket",
        "is the same file as socket",
        sources=[
            {
                "name": "s",
                "type": "syslog",
                "syslog": {m: {"volume": "logs", "path": "x"} for m in ("socket", "streamSocket")},
            }
        ],
    ),
    adapter(
        "rules/metricrules._finding_problems",
        "spec.rules",
        "a rule has regex when its source gives lines without a format, and path otherwise",
        {**HITS, "source": "access"},
        by_crd=True,
    ),
    adapter(
        "rules/metricrules._finding_problems",
        "spec.rules[0].identity",
        "only the lists of a JSON page have elements to tell apart",
        {**HITS, "source": "page", "identity": "id"},
    ),
    adapter(
        "rules/metricrules._finding_problems",
        "spec.rules[0].path",
        "a source of type proc has no hits",
        {**HITS, "source": "proc"},
    ),
    adapter(
        "rules/metricrules._emission_problems",
        "spec.rules[0].metric",
        "adapter_… are the adapter's own",
        {**HITS, "metric": "adapter_x"},
    ),
    adapter(
        "rules/metricrules._emission_problems",
        "spec.rules[0].scale",
        "must be a number other than 0",
        {**HITS, "scale": 0},
    ),
    adapter(
        "rules/metricrules._type_problems",
        "spec.rules[0].scale",
        "must be above 0: app_hits_total is a counter",
        {**HITS, "scale": -1},
    ),
    adapter(
        "rules/metricrules._type_problems",
        "spec.rules[0].metric",
        "app_request_duration_seconds is a histogram of single values",
        {**HITS, "metric": "app_request_duration_seconds"},
    ),
    adapter(
        "rules/metricrules._type_problems",
        "spec.rules[0].value",
        "name the group that holds the value",
        {"source": "access", "regex": "x", "metric": "app_request_duration_seconds"},
    ),
    adapter(
        "rules/metricrules._pair_problems",
        "spec.rules[0].metric",
        "of a - b only a gauge can be made",
        {**HITS, "source": "page", "path": "a - b"},
    ),
    adapter(
        "rules/metricrules._template_problems",
        "spec.rules[0].labels.code",
        "${ without }",
        {**HITS, "labels": {"code": "${code"}},
    ),
    adapter(
        "rules/metricrules._template_problems",
        "spec.rules[0].labels.code",
        "a group without a name",
        {**HITS, "labels": {"code": "${}"}},
    ),
    adapter(
        "rules/metricrules._label_problems",
        "spec.contract.labels",
        '"le" cannot be a label',
        contract={"labels": {"le": "1"}},
    ),
    adapter(
        "rules/contract.contract_problems",
        "spec.rules[0].labels",
        "use/v1 wants the label resource on app_resource_saturation",
        {**HITS, "metric": "app_resource_saturation"},
        contract={"name": "use/v1"},
    ),
    adapter("rules/contract._not_made", "spec.rules", "no rule makes own_total, a counter", contract=OWN),
    adapter(
        "rules/contract._aggregation_problems",
        "spec.rules[0].aggregation",
        "app_hits_total is a counter, which is always added up",
        {**HITS, "aggregation": "max"},
    ),
    adapter(
        "rules/contract._aggregation_problems",
        "spec.rules[1].aggregation",
        "depth is the max of what another rule finds, and cannot be the min",
        {**HITS, "metric": "depth", "aggregation": "max"},
        {**HITS, "metric": "depth", "aggregation": "min"},
    ),
    adapter(
        "rules/contract._clashes",
        "spec.rules[1].metric",
        "app_hits and app_hits_total cannot both be there: in OpenMetrics both have the name app_hits",
        HITS,
        {**HITS, "metric": "app_hits"},
    ),
    adapter(
        "rules/contract._bucket_problems",
        "spec.contract.buckets",
        "must be rising numbers",
        contract={"buckets": [2, 1]},
    ),
)

OF_SEVERAL_OBJECTS = {
    "part.visit": "a part that is missing, not shared, has a template or includes itself by others",
    "part.too_many_parts": "more parts than one object can name",
    "parameters.given": "two objects that give a part other values",
    "parameters._missing": "a value that a part demands",
    "parameters._undeclared": "a value that no part declares",
    "rules/volumes._clashes": "a volume of a part that is called as another",
    "rules/volumes._disagreements": "an application and its parts that give a shared volume other sizes",
}
"""Problems that no object has alone."""


@dataclass(frozen=True)
class Advised:
    """An object that the server takes with a warning."""

    kind: str
    spec: dict[str, Any]
    warning: str

    def __str__(self) -> str:
        return self.warning.partition(":")[0]


PROBED = {"startupProbe": {"httpGet": {"path": "/", "port": 1}}}
GIT_SYNC = {"name": "git-sync", "image": "podpatterns/git-sync:1", **PROBED}
ADVISED = (
    Advised(
        "SidecarApp",
        {"template": of(WEB, {**WEB, "name": "again"})},
        "spec.template.spec.containers[1].image: spec.template.spec.containers[0] runs this image too",
    ),
    Advised(
        "SidecarApp",
        {
            "template": of(),
            "sharedVolumes": [{**LOGS, "mounts": [{"container": "web", "subPath": "current"}]}],
            "sidecars": [GIT_SYNC],
        },
        "spec.sharedVolumes[0].mounts[0].subPath: a helper publishes by a symbolic link in this volume",
    ),
    Advised(
        "SidecarApp",
        {
            "template": of(
                {**WEB, "volumeMounts": [{"name": "logs", "mountPath": "/x", "subPath": "current"}]}
            ),
            "sharedVolumes": [LOGS],
            "sidecars": [GIT_SYNC],
        },
        "spec.template.spec.containers[0].volumeMounts[0].subPath: a helper publishes by a symbolic link",
    ),
    Advised(
        "SidecarApp",
        {"template": of(), "sidecars": [{"name": "helper", "image": "x:1"}]},
        "spec.sidecars[0]: order BeforeApp without startupProbe",
    ),
    Advised(
        "SidecarApp",
        {"template": of({"name": "web", "image": "localhost:5000/web"})},
        "spec.template.spec.containers[0].image: localhost:5000/web may be another image tomorrow",
    ),
    Advised(
        "Adapter",
        {"template": of({"name": "web", "image": "web:latest"}), "sources": [STATS]},
        "spec.template.spec.containers[0].image: web:latest may be another image tomorrow",
    ),
    Advised(
        "Ambassador",
        {
            "template": of(),
            "mode": "Local",
            "upstreams": [tcp("db", 1, local={"container": {"name": "db", "image": "db:1"}})],
        },
        "spec.mode: Local runs servers for development in the Pod",
    ),
)
