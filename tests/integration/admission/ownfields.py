"""Fields of our own kinds that ask for more than a harmless Pod has: title, right, object and field."""

from __future__ import annotations

from typing import Any

from tests.integration.admission.builders import SECRET, Object, app, upstream

TLS = {"caSecretRef": {"name": "ca", "key": "ca.crt"}}
_REDIS: Object = {"endpoints": ["redis:6379"]}


def redis(**fields: Any) -> Object:
    one = {"name": "db", "protocol": "redis", "listen": {"port": 6379}, "redis": {**_REDIS, **fields}}
    return app("Ambassador", upstreams=[one])


def postgres(**fields: Any) -> Object:
    postgres = {"endpoints": ["db:5432"], "username": "shop", **fields}
    one = {"name": "db", "protocol": "postgres", "listen": {"port": 5432}, "postgres": postgres}
    return app("Ambassador", upstreams=[one])


def page(**fields: Any) -> Object:
    source = {"name": "stats", "type": "json", "json": {"url": "https://127.0.0.1/", **fields}}
    return app("Adapter", sources=[source])


OF_OURS: tuple[tuple[str, str, Object, str], ...] = (
    (
        "claims of the object",
        "claims",
        app(
            volumeClaimTemplates=[
                {
                    "metadata": {"name": "data"},
                    "spec": {
                        "accessModes": ["ReadWriteOnce"],
                        "resources": {"requests": {"storage": "1Gi"}},
                    },
                }
            ]
        ),
        "spec.volumeClaimTemplates[0]",
    ),
    ("password of Redis", "secrets", redis(authSecretRef=SECRET), "spec.upstreams[0].redis.authSecretRef"),
    (
        "password of Redis' checks",
        "secrets",
        redis(monitorAuthSecretRef=SECRET),
        "spec.upstreams[0].redis.monitorAuthSecretRef",
    ),
    (
        "password of the Sentinels",
        "secrets",
        redis(sentinel={"masterName": "main", "authSecretRef": SECRET}),
        "spec.upstreams[0].redis.sentinel.authSecretRef",
    ),
    (
        "client certificate for Redis",
        "secrets",
        redis(tls={"certSecretRef": {"name": "tls"}}),
        "spec.upstreams[0].redis.tls.certSecretRef",
    ),
    (
        "password of PostgreSQL",
        "secrets",
        postgres(authSecretRef=SECRET),
        "spec.upstreams[0].postgres.authSecretRef",
    ),
    (
        "authorities of an upstream",
        "secrets",
        app("Ambassador", upstreams=[upstream(), upstream(name="b", listen={"port": 1}, tls=TLS)]),
        "spec.upstreams[1].tls.caSecretRef",
    ),
    (
        "password of a page",
        "secrets",
        page(basicAuthSecret="database"),
        "spec.sources[0].json.basicAuthSecret",
    ),
    (
        "headers of a page",
        "secrets",
        page(headersSecretRef=SECRET),
        "spec.sources[0].json.headersSecretRef",
    ),
    (
        "client certificate of a page",
        "secrets",
        page(clientCertificateSecret="tls"),
        "spec.sources[0].json.clientCertificateSecret",
    ),
    (
        "headers for an OTLP receiver",
        "secrets",
        app("Adapter", metrics={"otlp": {"endpoint": "http://otlp", "headersSecretRef": SECRET}}),
        "spec.metrics.otlp.headersSecretRef",
    ),
)
