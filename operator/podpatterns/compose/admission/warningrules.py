"""The warnings about what an object may say and seldom should, in CEL."""

from __future__ import annotations

from podpatterns.api.names import Kind
from podpatterns.compose.admission.cel import Variable, clause, indexed, spec_list

DEVELOPMENT = "(^|-)(dev|devel|development|local|sandbox|test)(-|$)"
"""Namespaces in which servers for development are no surprise."""
LINK_FLIPPER = "(^|/)git-sync(@|:|$)"
"""Images of helpers that publish by a symbolic link."""


def warning_rules(kind: Kind) -> list[Variable]:
    """Return the warnings, each a list of what is unwise."""
    return [
        Variable("sameApplication", _same_application()),
        Variable("movingTags", _moving_tags()),
        Variable("fixedLinks", _fixed_links(kind)),
        Variable("unprobed", _unprobed(kind)),
        Variable("localServers", _local_servers(kind)),
    ]


def _same_application() -> str:
    own = spec_list("template.spec.containers")
    others = f"{own}.transformList(j, o, j < i && o.?image.orValue('') == c.image, j)"
    told = (
        f"{indexed('spec.template.spec.containers', 'i', '.image')} + ': spec.template.spec.containers[' + "
        f"string({others}[0]) + '] runs this image too: a Pod is not for several instances "
        f"of one application, "
        "raise replicas instead'"
    )
    return f"{own}.transformList(i, c, has(c.image) && {others}.size() > 0, {told})"


def _moving_tags() -> str:
    moves = (
        "c.image != '' && !c.image.contains('@')"
        " && (!c.image.split('/').slice(c.image.split('/').size() - 1, "
        "c.image.split('/').size())[0].contains(':')"
        " || c.image.endsWith(':latest'))"
    )
    told = (
        "string(c.path) + '.image: ' + string(c.image) + ' may be another image tomorrow, "
        "or on another node: "
        "give it a tag that stays, or a digest'"
    )
    return f"variables.containers.filter(c, {moves}).map(c, {told})"


def _fixed_links(kind: Kind) -> str:
    """The link is resolved once, when the container starts."""
    if kind.kind != "SidecarApp":
        return "[]"
    flippers = f"variables.containers.filter(c, string(c.image).matches('{LINK_FLIPPER}'))"
    shared = spec_list("sharedVolumes")
    flipped = (
        f"({flippers}.map(c, c.mounts.map(m, m.name)).flatten() + ({flippers}.size() == 0 ? [] : {shared}"
        f".filter(v, has(v.mountPath) || v.?mounts.orValue([]).exists(m, "
        f"{flippers}.exists(c, c.name == m.container)))"
        ".map(v, v.name)))"
    )
    why = (
        "': a helper publishes by a symbolic link in this volume, and a subPath is "
        "resolved once, when the container "
        "starts: mount the whole volume, and read through the link'"
    )
    own = f"string(m.path).replace('.name', '.subPath') + {why}"
    path = f"{indexed('spec.sharedVolumes', 'i', '.mounts[')} + string(j) + '].subPath'"
    return (
        f"variables.containers.map(c, c.mounts.filter(m, m.fixed && m.name in "
        f"{flipped}).map(m, {own})).flatten()"
        f" + {shared}.transformList(i, v, v.?mounts.orValue([]).transformList(j, m,"
        f" has(m.subPath) && v.name in {flipped}, {path} + {why})).flatten()"
    )


def _unprobed(kind: Kind) -> str:
    if kind.kind != "SidecarApp":
        return "[]"
    told = (
        f"{indexed('spec.sidecars', 'i')} + ': order BeforeApp without startupProbe: the "
        f"application starts as soon "
        "as this container has, ready or not: add a startupProbe, or choose order WithApp'"
    )
    starts = "!has(c.startupProbe) && !(has(c.lifecycle) && has(c.lifecycle.postStart))"
    return (
        f"{spec_list('sidecars')}.transformList(i, c, "
        f"c.?order.orValue('BeforeApp') == 'BeforeApp' && {starts}, {told})"
    )


def _local_servers(kind: Kind) -> str:
    if kind.kind != "Ambassador":
        return "[]"
    told = (
        "'spec.mode: Local runs servers for development in the Pod, and their data goes "
        "with it; where the real "
        "services are to be used, choose Proxy'"
    )
    namespace = "object.metadata.?namespace.orValue('dev')"
    return clause(f"variables.isLocal && !{namespace}.matches('{DEVELOPMENT}')", told)
