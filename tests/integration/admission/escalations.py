"""Table of escalations: what an author might try to have in a Pod, and every place where it can hide.

Each is told by the right of the self-service that it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from testbed.manifests import container
from tests.integration.admission.builders import (
    SECRET,
    Object,
    app,
    harmless,
    part,
    upstream,
    user_of,
)
from tests.integration.admission.ownfields import OF_OURS


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
        "init container of a part",
        "spec.initContainers[0]",
        lambda f: part(initContainers=[harmless("init", restartPolicy="Always", **f)]),
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

TEMPLATE = "spec.template.spec"

IN_POD: tuple[tuple[str, str, Object, str], ...] = (
    ("network of the node", "privileged", {"hostNetwork": True}, "hostNetwork"),
    ("processes of the node", "privileged", {"hostPID": True}, "hostPID"),
    ("IPC of the node", "privileged", {"hostIPC": True}, "hostIPC"),
    (
        "directory of the node",
        "privileged",
        {"volumes": [{"name": "v", "hostPath": {"path": "/"}}]},
        "volumes[0]",
    ),
    (
        "volume of NFS",
        "privileged",
        {"volumes": [{"name": "v", "nfs": {"server": "nfs", "path": "/"}}]},
        "volumes[0]",
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
    (
        "Secret of another store",
        "secrets",
        {"volumes": [{"name": "v", "csi": {"driver": "secrets-store.csi.k8s.io"}}]},
        "volumes[0].csi",
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
        Escalation(f"{title}, Pod", app(pod=pod), right, f"{TEMPLATE}.{at}")
        for title, right, pod, at in IN_POD
    ),
    *(
        Escalation(f"{title}, part", part(**pod), right, f"spec.{at}", user_of("SidecarApp"))
        for title, right, pod, at in IN_POD
        if "volumes" in pod
    ),
    Escalation(
        "Secret by a variable of a part",
        part(sidecars=[harmless("helper")], env=[{"name": "A", "valueFrom": {"secretKeyRef": SECRET}}]),
        "secrets",
        "spec.env[0].valueFrom.secretKeyRef",
        user_of("SidecarApp"),
    ),
    *(Escalation(title, obj, right, at) for title, right, obj, at in OF_OURS),
)

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
