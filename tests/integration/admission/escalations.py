"""Table of escalations: what an author might try to have in a Pod, and every place where it can hide.

Each is told by the right of the self-service that it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from podpatterns.api.policy.podsecurity import APPARMOR_ANNOTATION
from testbed.manifests import container, manifest

Object = dict[str, Any]

SECURITY: Object = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""What Pod Security's level restricted asks of a container."""
SECRET = {"name": "database", "key": "password"}


@dataclass(frozen=True)
class Escalation:
    """An object that asks for more than a harmless Pod has."""

    title: str
    obj: Object
    """As people write it; an application, or a part that `user` includes."""
    right: str
    """The right that it needs; empty for a harmless one."""
    at: str
    """The field that a refusal names."""
    user: Object | None = None

    def __str__(self) -> str:
        return self.title


@dataclass(frozen=True)
class Place:
    """Place of a container: `put` returns the object with a container that has the fields."""

    name: str
    path: str
    put: Callable[[Object], Object]
    user: Object | None = None


@dataclass(frozen=True)
class InContainer:
    """Fields of a container that need a right."""

    title: str
    right: str
    fields: Object
    at: str
    security: Object = field(default_factory=dict)
    """Fields of its securityContext."""


def harmless(name: str = "web", **fields: Any) -> Object:
    """Return a container that Pod Security has nothing against."""
    security = {**SECURITY, **fields.pop("securityContext", {})}
    return {**container(name), "securityContext": security, **fields}


def app(kind: str = "SidecarApp", pod: Object | None = None, **spec: Any) -> Object:
    """Return an application of the kind; `pod` are fields of its template's spec."""
    template = {"spec": {"containers": [harmless()], **(pod or {})}}
    return manifest(kind, "tried", {**OWN[kind], "template": template, **spec})


def part(kind: str = "SidecarApp", **spec: Any) -> Object:
    return manifest(kind, "tried", {**OWN[kind], **spec})


def user_of(kind: str) -> Object:
    return manifest(
        "SidecarApp",
        "user",
        {"template": {"spec": {"containers": [harmless()]}}, "include": [{"kind": kind, "name": "tried"}]},
    )


def upstream(**fields: Any) -> Object:
    return {"name": "db", "protocol": "tcp", "listen": {"port": 5432}, "endpoints": ["db:5432"], **fields}


OWN: dict[str, Object] = {
    "SidecarApp": {},
    "Ambassador": {"upstreams": [upstream()]},
    "Adapter": {"sources": [{"name": "stats", "type": "json", "json": {"url": "http://127.0.0.1/"}}]},
}


def _local(fields: Object) -> Object:
    return {"mode": "Local", "upstreams": [upstream(local={"container": harmless("db", **fields)})]}


def _altered(fields: Object) -> Object:
    """Return a fragment that says only what is to be tried."""
    return {"container": fields}


PLACES = (
    Place(
        "application", "spec.template.spec.containers[0]", lambda f: app(pod={"containers": [harmless(**f)]})
    ),
    Place(
        "init container",
        "spec.template.spec.initContainers[0]",
        lambda f: app(pod={"initContainers": [harmless("init", restartPolicy="Always", **f)]}),
    ),
    Place(
        "application of an Ambassador",
        "spec.template.spec.containers[0]",
        lambda f: app("Ambassador", pod={"containers": [harmless(**f)]}),
    ),
    Place(
        "application of an Adapter",
        "spec.template.spec.containers[0]",
        lambda f: app("Adapter", pod={"containers": [harmless(**f)]}),
    ),
    Place("sidecar", "spec.sidecars[0]", lambda f: app(sidecars=[harmless("helper", **f)])),
    Place(
        "second sidecar, WithApp",
        "spec.sidecars[1]",
        lambda f: app(sidecars=[harmless("first"), harmless("helper", order="WithApp", **f)]),
    ),
    Place("local.container", "spec.upstreams[0].local.container", lambda f: app("Ambassador", **_local(f))),
    Place("proxy.container", "spec.proxy.container", lambda f: app("Ambassador", proxy=_altered(f))),
    Place("adapter.container", "spec.adapter.container", lambda f: app("Adapter", adapter=_altered(f))),
    Place(
        "sidecar of a part",
        "spec.sidecars[0]",
        lambda f: part(sidecars=[harmless("helper", **f)]),
        user_of("SidecarApp"),
    ),
    Place(
        "local.container of a part",
        "spec.upstreams[0].local.container",
        lambda f: part("Ambassador", **_local(f)),
        user_of("Ambassador"),
    ),
    Place(
        "proxy.container of a part",
        "spec.proxy.container",
        lambda f: part("Ambassador", proxy=_altered(f)),
        user_of("Ambassador"),
    ),
)

IN_CONTAINER = (
    InContainer(
        "privileged", "privileged", {}, "privileged", {"privileged": True, "allowPrivilegeEscalation": True}
    ),
    InContainer(
        "escalation of privilege",
        "privileged",
        {},
        "allowPrivilegeEscalation",
        {"allowPrivilegeEscalation": True},
    ),
    InContainer("user 0", "privileged", {}, "runAsUser", {"runAsUser": 0, "runAsNonRoot": False}),
    InContainer("root", "privileged", {}, "runAsNonRoot", {"runAsNonRoot": False}),
    InContainer(
        "capabilities",
        "privileged",
        {},
        "capabilities.add",
        {"capabilities": {"drop": ["ALL"], "add": ["NET_RAW"]}},
    ),
    InContainer(
        "kept capabilities", "privileged", {}, "capabilities.drop", {"capabilities": {"drop": ["KILL"]}}
    ),
    InContainer("no seccomp", "privileged", {}, "seccompProfile", {"seccompProfile": {"type": "Unconfined"}}),
    InContainer(
        "no AppArmor", "privileged", {}, "appArmorProfile", {"appArmorProfile": {"type": "Unconfined"}}
    ),
    InContainer("SELinux", "privileged", {}, "seLinuxOptions", {"seLinuxOptions": {"type": "spc_t"}}),
    InContainer(
        "hook on another host",
        "privileged",
        {"lifecycle": {"postStart": {"httpGet": {"host": "169.254.169.254", "port": 80}}}},
        "lifecycle.postStart",
    ),
    InContainer(
        "Secret by env",
        "secrets",
        {"env": [{"name": "PLAIN", "value": "x"}, {"name": "A", "valueFrom": {"secretKeyRef": SECRET}}]},
        "env[1].valueFrom.secretKeyRef",
    ),
    InContainer(
        "Secret by envFrom",
        "secrets",
        {"envFrom": [{"secretRef": {"name": "database"}}]},
        "envFrom[0].secretRef",
    ),
    InContainer(
        "port of the node",
        "hostports",
        {"ports": [{"containerPort": 1234, "hostPort": 1234}]},
        "ports[0].hostPort",
    ),
)

_TEMPLATE = "spec.template.spec"

IN_POD: tuple[tuple[str, str, Object, str], ...] = (
    ("network of the node", "privileged", {"hostNetwork": True}, "hostNetwork"),
    ("processes of the node", "privileged", {"hostPID": True}, "hostPID"),
    ("IPC of the node", "privileged", {"hostIPC": True}, "hostIPC"),
    (
        "directory of the node",
        "privileged",
        {"volumes": [{"name": "v", "hostPath": {"path": "/"}}]},
        "volumes",
    ),
    (
        "volume of NFS",
        "privileged",
        {"volumes": [{"name": "v", "nfs": {"server": "nfs", "path": "/"}}]},
        "volumes",
    ),
    ("user 0", "privileged", {"securityContext": {"runAsUser": 0}}, "securityContext.runAsUser"),
    ("root", "privileged", {"securityContext": {"runAsNonRoot": False}}, "securityContext.runAsNonRoot"),
    (
        "no seccomp",
        "privileged",
        {"securityContext": {"seccompProfile": {"type": "Unconfined"}}},
        "securityContext.seccompProfile",
    ),
    (
        "no AppArmor",
        "privileged",
        {"securityContext": {"appArmorProfile": {"type": "Unconfined"}}},
        "securityContext.appArmorProfile",
    ),
    (
        "SELinux",
        "privileged",
        {"securityContext": {"seLinuxOptions": {"user": "root"}}},
        "securityContext.seLinuxOptions",
    ),
    (
        "sysctl",
        "privileged",
        {"securityContext": {"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}},
        "securityContext.sysctls",
    ),
    (
        "Secret by a volume",
        "secrets",
        {"volumes": [{"name": "v", "secret": {"secretName": "database"}}]},
        "volumes[0].secret",
    ),
    (
        "Secret by a projected volume",
        "secrets",
        {"volumes": [{"name": "v", "projected": {"sources": [{"secret": {"name": "database"}}]}}]},
        "volumes[0].projected.sources[0].secret",
    ),
    (
        "Secret of a CSI volume",
        "secrets",
        {"volumes": [{"name": "v", "csi": {"driver": "d", "nodePublishSecretRef": {"name": "database"}}}]},
        "volumes[0].csi.nodePublishSecretRef",
    ),
    ("Secret of a registry", "secrets", {"imagePullSecrets": [{"name": "registry"}]}, "imagePullSecrets[0]"),
    ("ServiceAccount", "serviceaccounts", {"serviceAccountName": "robot"}, "serviceAccountName"),
    ("ServiceAccount by its former name", "serviceaccounts", {"serviceAccount": "robot"}, "serviceAccount"),
    ("node", "nodes", {"nodeName": "control-plane"}, "nodeName"),
    ("priority", "priorities", {"priorityClassName": "important"}, "priorityClassName"),
    (
        "claim",
        "claims",
        {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data-db-0"}}]},
        "volumes[0].persistentVolumeClaim",
    ),
    (
        "claim of an ephemeral volume",
        "claims",
        {
            "volumes": [
                {
                    "name": "v",
                    "ephemeral": {
                        "volumeClaimTemplate": {
                            "spec": {
                                "accessModes": ["ReadWriteOnce"],
                                "resources": {"requests": {"storage": "1Gi"}},
                            }
                        }
                    },
                }
            ]
        },
        "volumes[0].ephemeral",
    ),
    (
        "device",
        "claims",
        {"resourceClaims": [{"name": "gpu", "resourceClaimName": "gpu"}]},
        "resourceClaims[0]",
    ),
)

_TLS = {"caSecretRef": {"name": "ca", "key": "ca.crt"}}
_REDIS: Object = {"endpoints": ["redis:6379"]}


def _redis(**fields: Any) -> Object:
    one = {"name": "db", "protocol": "redis", "listen": {"port": 6379}, "redis": {**_REDIS, **fields}}
    return app("Ambassador", upstreams=[one])


def _postgres(**fields: Any) -> Object:
    postgres = {"endpoints": ["db:5432"], "username": "shop", **fields}
    one = {"name": "db", "protocol": "postgres", "listen": {"port": 5432}, "postgres": postgres}
    return app("Ambassador", upstreams=[one])


def _page(**fields: Any) -> Object:
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
    ("password of Redis", "secrets", _redis(authSecretRef=SECRET), "spec.upstreams[0].redis.authSecretRef"),
    (
        "password of Redis' checks",
        "secrets",
        _redis(monitorAuthSecretRef=SECRET),
        "spec.upstreams[0].redis.monitorAuthSecretRef",
    ),
    (
        "password of the Sentinels",
        "secrets",
        _redis(sentinel={"masterName": "main", "authSecretRef": SECRET}),
        "spec.upstreams[0].redis.sentinel.authSecretRef",
    ),
    (
        "client certificate for Redis",
        "secrets",
        _redis(tls={"certSecretRef": {"name": "tls"}}),
        "spec.upstreams[0].redis.tls.certSecretRef",
    ),
    (
        "password of PostgreSQL",
        "secrets",
        _postgres(authSecretRef=SECRET),
        "spec.upstreams[0].postgres.authSecretRef",
    ),
    (
        "authorities of an upstream",
        "secrets",
        app("Ambassador", upstreams=[upstream(), upstream(name="b", listen={"port": 1}, tls=_TLS)]),
        "spec.upstreams[1].tls.caSecretRef",
    ),
    (
        "password of a page",
        "secrets",
        _page(basicAuthSecret="database"),
        "spec.sources[0].json.basicAuthSecret",
    ),
    (
        "headers of a page",
        "secrets",
        _page(headersSecretRef=SECRET),
        "spec.sources[0].json.headersSecretRef",
    ),
    (
        "client certificate of a page",
        "secrets",
        _page(clientCertificateSecret="tls"),
        "spec.sources[0].json.clientCertificateSecret",
    ),
    (
        "headers for an OTLP receiver",
        "secrets",
        app("Adapter", metrics={"otlp": {"endpoint": "http://otlp", "headersSecretRef": SECRET}}),
        "spec.metrics.otlp.headersSecretRef",
    ),
)


def _in_containers() -> Iterator[Escalation]:
    for place in PLACES:
        for one in IN_CONTAINER:
            fields = {**one.fields, **({"securityContext": one.security} if one.security else {})}
            context = "securityContext." if one.security else ""
            yield Escalation(
                f"{one.title}, {place.name}",
                place.put(fields),
                one.right,
                f"{place.path}.{context}{one.at}",
                place.user,
            )


ESCALATIONS = (
    *_in_containers(),
    *(
        Escalation(f"{title}, Pod", app(pod=pod), right, f"{_TEMPLATE}.{at}")
        for title, right, pod, at in IN_POD
    ),
    *(Escalation(title, obj, right, at) for title, right, obj, at in OF_OURS),
)

_SECRET_NAME = {"name": "database"}

SECRETS_OF_VOLUMES: tuple[tuple[str, Object], ...] = (
    ("azureFile.secretName", {"azureFile": {"secretName": "database", "shareName": "s"}}),
    ("cephfs.secretFile", {"cephfs": {"monitors": ["m"], "secretFile": "/etc/ceph"}}),
    ("cephfs.secretRef", {"cephfs": {"monitors": ["m"], "secretRef": _SECRET_NAME}}),
    ("cinder.secretRef", {"cinder": {"volumeID": "v", "secretRef": _SECRET_NAME}}),
    ("flexVolume.secretRef", {"flexVolume": {"driver": "d", "secretRef": _SECRET_NAME}}),
    ("iscsi.secretRef", {"iscsi": {"iqn": "i", "lun": 0, "targetPortal": "t", "secretRef": _SECRET_NAME}}),
    ("rbd.secretRef", {"rbd": {"monitors": ["m"], "image": "i", "secretRef": _SECRET_NAME}}),
    ("scaleIO.secretRef", {"scaleIO": {"gateway": "g", "system": "s", "secretRef": _SECRET_NAME}}),
    ("storageos.secretRef", {"storageos": {"secretRef": _SECRET_NAME}}),
)
"""Secrets in volumes that are not harmless themselves."""


def _metrics_page(**fields: Any) -> Object:
    source = {"name": "stats", "type": "prometheus", "prometheus": {"url": "https://127.0.0.1/", **fields}}
    return app("Adapter", sources=[source])


def _handled(**fields: Any) -> Object:
    return app(pod={"containers": [harmless(**fields)]})


_WEB, _HOST = f"{_TEMPLATE}.containers[0]", {"tcpSocket": {"host": "169.254.169.254", "port": 80}}

SELF_SERVICE_ALONE = (
    *(
        Escalation(f"{at}, self-service", obj, right, at)
        for right, obj, at in (
            ("secrets", _redis(tls=_TLS), "spec.upstreams[0].redis.tls.caSecretRef"),
            ("secrets", _postgres(tls=_TLS), "spec.upstreams[0].postgres.tls.caSecretRef"),
            (
                "secrets",
                _postgres(tls={"certSecretRef": {"name": "tls"}}),
                "spec.upstreams[0].postgres.tls.certSecretRef",
            ),
            (
                "secrets",
                app("Ambassador", upstreams=[upstream(tls={"certSecretRef": {"name": "tls"}})]),
                "spec.upstreams[0].tls.certSecretRef",
            ),
            ("secrets", _page(caSecretRef=_TLS["caSecretRef"]), "spec.sources[0].json.caSecretRef"),
            ("secrets", _metrics_page(**_TLS), "spec.sources[0].prometheus.caSecretRef"),
            (
                "secrets",
                _metrics_page(headersSecretRef=SECRET),
                "spec.sources[0].prometheus.headersSecretRef",
            ),
            ("secrets", _metrics_page(basicAuthSecret="a"), "spec.sources[0].prometheus.basicAuthSecret"),
            (
                "secrets",
                _metrics_page(clientCertificateSecret="a"),
                "spec.sources[0].prometheus.clientCertificateSecret",
            ),
            (
                "secrets",
                app("Adapter", metrics={"otlp": {"endpoint": "https://otlp", **_TLS}}),
                "spec.metrics.otlp.caSecretRef",
            ),
            (
                "privileged",
                app(pod={"ephemeralContainers": [container("debug")]}),
                f"{_TEMPLATE}.ephemeralContainers[0].securityContext.allowPrivilegeEscalation",
            ),
            (
                "privileged",
                _handled(securityContext={"procMount": "Unmasked"}),
                f"{_WEB}.securityContext.procMount",
            ),
            (
                "privileged",
                _handled(securityContext={"windowsOptions": {"hostProcess": True}}),
                f"{_WEB}.securityContext.windowsOptions.hostProcess",
            ),
            (
                "privileged",
                app(pod={"securityContext": {"windowsOptions": {"hostProcess": True}}}),
                f"{_TEMPLATE}.securityContext.windowsOptions.hostProcess",
            ),
            ("privileged", _handled(livenessProbe=_HOST), f"{_WEB}.livenessProbe"),
            ("privileged", _handled(readinessProbe=_HOST), f"{_WEB}.readinessProbe"),
            ("privileged", _handled(startupProbe=_HOST), f"{_WEB}.startupProbe"),
            ("privileged", _handled(lifecycle={"preStop": _HOST}), f"{_WEB}.lifecycle.preStop"),
            (
                "privileged",
                manifest(
                    "SidecarApp",
                    "tried",
                    {
                        "template": {
                            "metadata": {"annotations": {f"{APPARMOR_ANNOTATION}web": "unconfined"}},
                            "spec": {"containers": [harmless()]},
                        }
                    },
                ),
                f"spec.template.metadata.annotations[{APPARMOR_ANNOTATION}web]",
            ),
            # What a part doesn't say itself an application of somebody else's may say otherwise.
            (
                "privileged",
                part(sidecars=[container("helper", securityContext={**SECURITY, "runAsNonRoot": None})]),
                "spec.sidecars[0].securityContext.runAsNonRoot",
            ),
            ("priorities", app(pod={"priority": 1000}), f"{_TEMPLATE}.priority"),
            ("parts", app(include=[{"kind": "Ambassador", "name": "cache"}]), "spec.include[0]"),
            (
                "parts",
                app("Adapter", include=[{"kind": "SidecarApp", "name": "debug"}]),
                "spec.include[0]",
            ),
        )
    ),
)
"""What can't be shown beside a Pod by hand: fields that mean the same, or that no Pod of a test can have."""

HARMLESS = (
    *(Escalation(f"harmless, {place.name}", place.put({}), "", "", place.user) for place in PLACES),
    Escalation(
        "harmless by the Pod's securityContext",
        app(
            pod={
                "securityContext": {
                    "runAsNonRoot": True,
                    "seccompProfile": {"type": "Localhost", "localhostProfile": "p"},
                },
                "containers": [
                    {
                        **container("web"),
                        "securityContext": {
                            "allowPrivilegeEscalation": False,
                            "capabilities": {"drop": ["ALL"]},
                        },
                    }
                ],
            }
        ),
        "",
        "",
    ),
    Escalation(
        "harmless volumes, the default ServiceAccount, a ConfigMap and a port below 1024",
        app(
            pod={
                "serviceAccountName": "default",
                "volumes": [
                    {"name": "e", "emptyDir": {}},
                    {"name": "c", "configMap": {"name": "settings"}},
                    {
                        "name": "p",
                        "projected": {
                            "sources": [
                                {"configMap": {"name": "settings"}},
                                {"serviceAccountToken": {"path": "t"}},
                            ]
                        },
                    },
                ],
                "containers": [
                    harmless(
                        securityContext={
                            "runAsUser": 1000,
                            "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
                        },
                        env=[
                            {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "a"}}}
                        ],
                        envFrom=[{"configMapRef": {"name": "settings"}}],
                        ports=[{"containerPort": 80}],
                        readinessProbe={"httpGet": {"port": 80}},
                    )
                ],
            }
        ),
        "",
        "",
    ),
)
"""What needs no right."""
