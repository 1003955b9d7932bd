"""Objects that keep the rules of the CRDs, and changes of them that break each rule once."""

from __future__ import annotations

import copy
from typing import Any

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

READS = {"listen": {"port": 3}}
OF_A_PART = "belongs to a part (an object without template)"
PART = {"kind": "SidecarApp", "name": "part"}
RESERVED = {"team": "shop", "podpatterns.dev/name": "pay"}
OTHERS = {"podpatterns.dev.example.com/name": "pay", "example.com/podpatterns.dev": "", "app": "x"}

CLAIM = {"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": "1Gi"}}}}


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


def template(**metadata: Any) -> dict[str, Any]:
    return {"metadata": metadata, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}


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
                {
                    "env": [
                        {"name": "A", "value": "1", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}
                    ]
                },
                "spec.env[0]",
                "give either value or valueFrom",
            ),
            (
                {"env": [{"name": "A", "required": True, "value": "1"}]},
                "spec.env[0].required",
                "a variable with a value of its own is not required",
            ),
            (
                {"template": template(), "include": [{**PART, "env": [{"name": "A"}]}]},
                "spec.include[0].env[0]",
                "give value or valueFrom",
            ),
            ({"template": template(), "volumes": [{"name": "v"}]}, "spec.volumes", OF_A_PART),
            ({"template": template(), "initContainers": [{"name": "i"}]}, "spec.initContainers", OF_A_PART),
            ({"template": template(), "env": [{"name": "A"}]}, "spec.env", OF_A_PART),
            ({"template": template(), "sharedWith": {"namespaces": ["*"]}}, "spec.sharedWith", OF_A_PART),
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
