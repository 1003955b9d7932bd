"""Pod Security's level `restricted`, in CEL, for containers and Pods that nobody has made yet.

https://kubernetes.io/docs/concepts/security/pod-security-standards/ names the fields and what they may be.
Exceptions for Pods of other systems than Linux, or in a user namespace, are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

VOLUMES = (
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
)

SYSCTLS = (
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_notsent_lowat",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_slow_start_after_idle",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
)

CONTAINER, INHERITED, POD = "e.is", "e.has", "variables.podSpec"
"""The operands: a container, the securityContext that stands for what its own doesn't say, a Pod's spec."""

APPARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"


@dataclass(frozen=True, slots=True)
class Restriction:
    """Field that a harmless Pod may not set as it likes."""

    field: str
    """Path in the container or in the Pod's spec."""
    must: str
    """The remedy, after the field: must not be true."""
    broken: str
    """CEL: true for what is not harmless in CONTAINER or POD."""


def _listed(values: tuple[str, ...]) -> str:
    return f"[{', '.join(map(repr, values))}]"


def _context(of: str) -> tuple[Restriction, ...]:
    """Return what a container's securityContext and a Pod's have in common."""
    context = f"{of}.?securityContext"
    linux = f"{context}.?seLinuxOptions"
    return (
        Restriction(
            "securityContext.runAsUser",
            "must not be 0",
            f"{context}.?runAsUser.optMap(u, u == 0).orValue(false)",
        ),
        Restriction(
            "securityContext.appArmorProfile",
            "must have the type RuntimeDefault or Localhost",
            f"!({context}.?appArmorProfile.?type.orValue('RuntimeDefault')"
            " in ['RuntimeDefault', 'Localhost'])",
        ),
        Restriction(
            "securityContext.seLinuxOptions",
            "must have a type of containers, no user and no role",
            f"!({linux}.?type.orValue('') in ['', 'container_t', 'container_init_t', 'container_kvm_t',"
            f" 'container_engine_t']) || {linux}.?user.orValue('') != '' || {linux}.?role.orValue('') != ''",
        ),
        Restriction(
            "securityContext.windowsOptions.hostProcess",
            "must not be true",
            f"{context}.?windowsOptions.?hostProcess.orValue(false)",
        ),
    )


def _own(field: str, default: str) -> str:
    """Return the value of the container's securityContext, or the inherited one."""
    return f"{CONTAINER}.?securityContext.?{field}.or({INHERITED}.?{field}).orValue({default})"


def _handler(field: str) -> Restriction:
    path = f"{CONTAINER}." + ".".join(f"?{name}" for name in field.split("."))
    return Restriction(
        field,
        "must name no host",
        f"{path}.?httpGet.?host.orValue('') != '' || {path}.?tcpSocket.?host.orValue('') != ''",
    )


OF_CONTAINER: tuple[Restriction, ...] = (
    Restriction(
        "securityContext.privileged",
        "must not be true",
        f"{CONTAINER}.?securityContext.?privileged.orValue(false)",
    ),
    Restriction(
        "securityContext.allowPrivilegeEscalation",
        "must be false",
        _own("allowPrivilegeEscalation", "true"),
    ),
    Restriction(
        "securityContext.runAsNonRoot",
        "must be true",
        f"!{_own('runAsNonRoot', 'false')}",
    ),
    Restriction(
        "securityContext.seccompProfile",
        "must have the type RuntimeDefault or Localhost",
        f"!({_own('seccompProfile.?type', repr(''))} in ['RuntimeDefault', 'Localhost'])",
    ),
    Restriction(
        "securityContext.capabilities.drop",
        "must have ALL",
        f"!('ALL' in {_own('capabilities.?drop', '[]')})",
    ),
    Restriction(
        "securityContext.capabilities.add",
        "must have nothing but NET_BIND_SERVICE",
        f"{CONTAINER}.?securityContext.?capabilities.?add.orValue([]).exists(a, a != 'NET_BIND_SERVICE')",
    ),
    Restriction(
        "securityContext.procMount",
        "must be Default",
        f"{CONTAINER}.?securityContext.?procMount.orValue('Default') != 'Default'",
    ),
    *_context(CONTAINER),
    *map(
        _handler,
        (
            "livenessProbe",
            "readinessProbe",
            "startupProbe",
            "lifecycle.postStart",
            "lifecycle.preStop",
        ),
    ),
)

OF_POD: tuple[Restriction, ...] = (
    *(
        Restriction(field, "must not be true", f"{POD}.?{field}.orValue(false)")
        for field in ("hostNetwork", "hostPID", "hostIPC")
    ),
    *_context(POD),
    Restriction(
        "securityContext.runAsNonRoot",
        "must not be false",
        f"!{POD}.?securityContext.?runAsNonRoot.orValue(true)",
    ),
    Restriction(
        "securityContext.seccompProfile",
        "must have the type RuntimeDefault or Localhost",
        f"!({POD}.?securityContext.?seccompProfile.?type.orValue('RuntimeDefault')"
        " in ['RuntimeDefault', 'Localhost'])",
    ),
    Restriction(
        "securityContext.sysctls",
        "must have safe ones alone",
        f"{POD}.?securityContext.?sysctls.orValue([]).exists(s, !(s.name in {_listed(SYSCTLS)}))",
    ),
)

VOLUME = (f"must be of {', '.join(VOLUMES)}", f"it.exists(k, k != 'name' && !(k in {_listed(VOLUMES)}))")
"""The remedy for a volume, and CEL that is true for one, `it`, that is not harmless."""

UNPRIVILEGED = (
    "{'allowPrivilegeEscalation': dyn(false), 'runAsNonRoot': dyn(true),"
    " 'seccompProfile': dyn({'type': 'RuntimeDefault'}), 'capabilities': dyn({'drop': ['ALL']})}"
)
"""CEL: what a container of the operator's says where its author alters nothing."""
