"""PodFragment of an Ambassador: proxies to the upstreams, or in mode Local servers in their place."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from typing import Any

from podpatterns.api.ambassador import AmbassadorSpec
from podpatterns.api.ambassador import Proxy as ProxySpec
from podpatterns.api.connection import Listen, UpstreamEnv
from podpatterns.api.upstream import Upstream
from podpatterns.compose.helpers.endpoint import host_of, is_address
from podpatterns.compose.helpers.haproxy import HOST, checked
from podpatterns.compose.helpers.helper import HelperImages, helper_shape
from podpatterns.compose.helpers.proxy import CONFIG_PAGE, named_port, proxies, reads_of
from podpatterns.compose.part import Part
from podpatterns.compose.podcontainer import PodContainer, native_sidecar
from podpatterns.compose.podfragment import File, PodFragment, Variable
from podpatterns.compose.revision import shaping_fields
from podpatterns.compose.rules.problem import Problem


def settings(spec: AmbassadorSpec) -> int:
    """Return the number of endpoints in its configuration: the cost of writing it."""
    return sum(len(_endpoints(u)[1]) for u in spec.upstreams)


def ambassador(spec: AmbassadorSpec, part: Part, images: HelperImages) -> PodFragment:
    if spec.mode == "Local":
        return _local(spec, part)
    return _proxy(spec, part, images)


def _local(spec: AmbassadorSpec, part: Part) -> PodFragment:
    return PodFragment(
        shape={
            **shaping_fields(spec, AmbassadorSpec),
            "upstreams": _upstreams(spec, without="name"),
            **_reads(spec, without=["listen"]),
        },
        helpers=tuple(_local_servers(spec, part)),
        variables=tuple(_variables(spec, part)),
        problems=(
            Problem(part.path(f"spec.upstreams[{i}].local"), "mode Local needs a local.container: give one")
            for i, upstream in enumerate(spec.upstreams)
            if upstream.local is None
        ),
    )


def _proxy(spec: AmbassadorSpec, part: Part, images: HelperImages) -> PodFragment:
    needed = proxies(spec, part)
    return PodFragment(
        shape={
            **part.shape,
            **shaping_fields(spec, AmbassadorSpec),
            **_proxy_container(spec),
            "upstreams": _upstreams(spec, without="local"),
            **_reads(spec),
            "proxies": {p.engine.role: p.pod_shape_inputs for p in needed},
        },
        helpers=tuple(p.container(images) for p in needed),
        volumes=tuple(volume for p in needed for volume in p.volumes()),
        variables=tuple(_variables(spec, part)),
        files=tuple(
            File(p.name, p.key, p.content(), p.metrics_port, CONFIG_PAGE, bool(spec.proxy.container))
            for p in needed
        ),
        proxies=tuple(p.name for p in needed),
        unchecked=tuple(u.name for u in spec.upstreams if not (u.redis or u.postgres or checked(u))),
        secrets=tuple(
            f"Secret {ref.name}, key {ref.key} ({path})" for p in needed for path, ref in p.secrets()
        ),
        problems=chain(_endpoint_problems(spec, part), (problem for p in needed for problem in p.problems())),
    )


def _proxy_container(spec: AmbassadorSpec) -> dict[str, Any]:
    shape = {**helper_shape(spec.proxy), **shaping_fields(spec.proxy, ProxySpec)}
    return {"proxy": shape} if shape else {}


def _upstreams(spec: AmbassadorSpec, without: str) -> list[dict[str, Any]]:
    return [shaping_fields(u, Upstream, without=[without]) for u in spec.upstreams]


def _reads(spec: AmbassadorSpec, without: Collection[str] = ()) -> dict[str, Any]:
    reads = {
        u.name: shaping_fields(found[1], type(found[1]), without=without)
        for u in spec.upstreams
        if (found := reads_of(u))
    }
    return {"reads": reads} if reads else {}


def _local_servers(spec: AmbassadorSpec, part: Part) -> Iterator[PodContainer]:
    for i, upstream in enumerate(spec.upstreams):
        if upstream.local is None:
            continue
        container = upstream.local.container
        ports = list(container.get("ports") or ())
        origins: dict[str, str] = {}
        if not any(port.get("containerPort") == upstream.listen.port for port in ports):
            origins[f"ports[{len(ports)}].containerPort"] = part.path(f"spec.upstreams[{i}].listen.port")
            ports.append(named_port(upstream.name, upstream.listen))
        path = part.path(f"spec.upstreams[{i}].local.container")
        manifest = native_sidecar({**container, "ports": ports})
        yield PodContainer(manifest, path, "initContainers", part.owner, origins=origins)


def _variables(spec: AmbassadorSpec, part: Part) -> Iterator[Variable]:
    for i, upstream in enumerate(spec.upstreams):
        path = part.path(f"spec.upstreams[{i}]")
        yield from _place(upstream.env, upstream.listen, f"{path}.env")
        if found := reads_of(upstream):
            field, reads = found
            at = upstream.listen if spec.mode == "Local" else reads.listen
            yield from _place(reads.env, at, f"{path}.{field}.env")


def _place(env: UpstreamEnv | None, listen: Listen, path: str) -> Iterator[Variable]:
    if env and env.host_name:
        yield Variable(env.host_name, HOST, f"{path}.hostName")
    if env and env.port_name:
        yield Variable(env.port_name, str(listen.port), f"{path}.portName")


def _endpoints(upstream: Upstream) -> tuple[str, Sequence[str]]:
    """Return the upstream's endpoints, with their field."""
    for field, settings in (("redis", upstream.redis), ("postgres", upstream.postgres)):
        if settings:
            return f"{field}.endpoints", settings.endpoints
    return "endpoints", upstream.endpoints or ()


def _endpoint_problems(spec: AmbassadorSpec, part: Part) -> Iterator[Problem]:
    """Yield a problem for each endpoint whose brackets hold no address, which the schema's pattern allows."""
    for i, upstream in enumerate(spec.upstreams):
        field, endpoints = _endpoints(upstream)
        for j, endpoint in enumerate(endpoints):
            if endpoint.startswith("[") and not is_address(host_of(endpoint)):
                yield Problem(
                    part.path(f"spec.upstreams[{i}].{field}[{j}]"),
                    f"{endpoint} has no IPv6 address in its brackets: correct it",
                )
