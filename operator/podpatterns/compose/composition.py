"""The composition: one Pod template out of an application and the parts that it includes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, NamedTuple

from podpatterns.api import Adapter, Ambassador, Pattern, SidecarApp
from podpatterns.api.bounds import (
    POD_CONTAINERS,
    POD_PART_VOLUMES,
    POD_SETTINGS,
    POD_SHARED_VOLUMES,
)
from podpatterns.compose.adapter import adapter
from podpatterns.compose.adapter import settings as adapter_settings
from podpatterns.compose.ambassador import ambassador
from podpatterns.compose.ambassador import settings as ambassador_settings
from podpatterns.compose.claims import claim_volumes
from podpatterns.compose.helpers.helper import HelperImages
from podpatterns.compose.labels import evictable_with, unreserved
from podpatterns.compose.parameters import giving_problems, with_parameters
from podpatterns.compose.part import Part, key_of, parts_of
from podpatterns.compose.podcontainer import ContainerList, PodContainer, in_starting_order
from podpatterns.compose.podfragment import File, MetricsEndpoint, PodFragment
from podpatterns.compose.revision import revision, short_hash
from podpatterns.compose.rules.containers import name_problems, no_container, process_problems
from podpatterns.compose.rules.ports import host_port_problems, port_problems
from podpatterns.compose.rules.problem import CannotCompose, Problem
from podpatterns.compose.rules.variables import variable_problems
from podpatterns.compose.rules.volumes import volume_problems
from podpatterns.compose.sidecarapp import sidecars
from podpatterns.compose.variables import env, with_variables
from podpatterns.compose.volumes import PodVolumes, part_volumes, shared_memory, shared_volumes, with_mounts


class PartVersion(NamedTuple):
    """A part as it was composed."""

    kind: str
    namespace: str
    name: str
    generation: int


@dataclass(frozen=True, slots=True)
class Composition:
    template: dict[str, Any]
    """A core/v1 PodTemplateSpec."""
    revision: str
    """Hash of all fields that shape the Pod: the same spec has the same hash in every version of the
    operator."""
    application: frozenset[str] = frozenset()
    """Containers of the application; the others are helpers."""
    default_resources: frozenset[str] = frozenset()
    """Containers whose resources the operator chose. Running Pods keep those that they have."""
    files: tuple[File, ...] = ()
    """The helpers' configuration, in the ConfigMap that the Pod mounts."""
    proxies: tuple[str, ...] = ()
    """Containers that are ready only while their required upstreams are healthy."""
    unchecked: tuple[str, ...] = ()
    """Upstreams whose endpoints nobody checks."""
    secrets: tuple[str, ...] = ()
    """Secrets that its volumes need, each with the field that refers to it: Secret redis, key password
    (spec.upstreams[0].redis.authSecretRef)."""
    metrics_endpoints: tuple[MetricsEndpoint, ...] = ()
    """Metrics endpoints of the Pod's adapters."""
    parts: tuple[PartVersion, ...] = ()
    """The parts that are in the Pod."""
    configuration: str = ""
    """Hash of `data`, computed once: every reconcile and every Pod needs it. Empty without files."""

    @property
    def data(self) -> dict[str, str]:
        """Data of the ConfigMap."""
        return _data(self.files)


def compose(
    app: Pattern, available: Iterable[Pattern] = (), images: HelperImages | None = None
) -> Composition:
    """Compose the Pod of `app`, which has a template.

    `available` are the objects that exist, among them those that `app` and its parts include.
    Raises CannotCompose with the problems found.
    """
    images = images or HelperImages()
    parts = parts_of(app, available)
    settings = sum(_settings(part.pattern) for part in parts)
    _check(_too_many(settings, POD_SETTINGS, "metrics, labels and endpoints in its helpers' configuration"))
    fragments = fragments_of(parts, images)
    template = app.spec.template or {}
    spec = template.get("spec") or {}
    containers = in_starting_order(spec, [f.helpers for f in fragments])
    volumes = PodVolumes(
        own=spec.get("volumes") or (),
        claims=list(claim_volumes(app.spec.volume_claim_templates)),
        of_parts=part_volumes(parts),
        shared=shared_volumes(parts),
        memory=shared_memory(parts),
        config=[v for f in fragments for v in f.volumes],
    )
    variables = [v for f in fragments for v in f.variables]

    _check(
        chain(
            _too_many(len(containers), POD_CONTAINERS, "containers"),
            _too_many(len(volumes.shared), POD_SHARED_VOLUMES, "shared volumes"),
            _too_many(len(volumes.of_parts), POD_PART_VOLUMES, "volumes of parts"),
        )
    )
    mounted = [(c, with_mounts(c, volumes.shared, volumes.memory)) for c in containers]
    _check(
        chain(
            chain.from_iterable(f.problems for f in fragments),
            no_container(containers),
            name_problems(containers),
            port_problems(containers),
            host_port_problems(containers),
            variable_problems(containers, variables),
            volume_problems(mounted, volumes),
            process_problems(spec, fragments),
        )
    )
    added = env(variables)

    def listed(name: ContainerList) -> list[dict[str, Any]]:
        return [with_variables(c, manifest, added) for c, manifest in mounted if c.container_list == name]

    composed = {**spec, "containers": listed("containers")}
    if init_containers := listed("initContainers"):
        composed["initContainers"] = init_containers
    if manifests := volumes.manifests():
        composed["volumes"] = manifests
    if images.pull_secrets and any(c.composed for c in containers):
        composed["imagePullSecrets"] = images.secrets(spec.get("imagePullSecrets") or ())
    if app.spec.service_name:
        composed["subdomain"] = app.spec.service_name
    if any(f.shared_processes for f in fragments) and not spec.get("hostPID"):
        composed["shareProcessNamespace"] = True
    files = tuple(file for f in fragments for file in f.files)
    return Composition(
        template={"metadata": _metadata(template, fragments), "spec": composed},
        revision=revision([(p.pattern, f.shape) for p, f in zip(parts, fragments, strict=True)]),
        application=frozenset(c.name for c in containers if c.of_the_application),
        default_resources=frozenset(c.name for c in containers if c.default_resources),
        files=files,
        configuration=short_hash(_data(files)) if files else "",
        proxies=tuple(name for f in fragments for name in f.proxies),
        unchecked=tuple(name for f in fragments for name in f.unchecked),
        secrets=tuple(secret for f in fragments for secret in f.secrets),
        parts=tuple(PartVersion(*key_of(p.pattern), p.pattern.metadata.generation) for p in parts[1:]),
        metrics_endpoints=tuple(f.metrics_endpoint for f in fragments if f.metrics_endpoint),
    )


def include_problems(part: Pattern, available: Iterable[Pattern]) -> list[Problem]:
    """Return what is wrong with what a part gives to those that it includes.

    Raises CannotCompose where it can't include them.
    """
    parts, images = parts_of(part, available), HelperImages()
    if len(parts) == 1:
        return []
    return giving_problems(parts, [pod_fragment(one, images) for one in parts])


def part_problems(pattern: Pattern) -> tuple[Problem, ...]:
    """Return the problems that a part has in the Pod of any application, by its own fields."""
    part = Part(pattern, 1, "", pattern.metadata.namespace)
    fragment = pod_fragment(part, HelperImages())
    problems = chain(
        fragment.problems,
        name_problems(fragment.helpers),
        port_problems(fragment.helpers),
        host_port_problems(fragment.helpers),
        variable_problems((), fragment.variables),
    )
    return tuple(
        replace(p, path=p.path.removeprefix(part.prefix), message=p.message.replace(part.prefix, ""))
        for p in CannotCompose(problems).problems
    )


def _check(problems: Iterable[Problem]) -> None:
    found = CannotCompose(problems)
    if found.problems:
        raise found


def _data(files: Sequence[File]) -> dict[str, str]:
    return {file.key: file.text for file in files}


def fragments_of(parts: Sequence[Part], images: HelperImages) -> list[PodFragment]:
    """Return what each object adds to the Pod, with what the others give to it."""
    return with_parameters(parts, [pod_fragment(part, images) for part in parts])


def pod_fragment(part: Part, images: HelperImages) -> PodFragment:
    """Return what the object adds to the Pod: its init containers, and what is of its kind."""
    fragment = _of_its_kind(part, images)
    own = tuple(
        PodContainer(manifest, part.path(f"spec.initContainers[{i}]"), "initContainers", part.owner)
        for i, manifest in enumerate(part.pattern.spec.init_containers)
    )
    return replace(fragment, helpers=(*own, *fragment.helpers)) if own else fragment


def _of_its_kind(part: Part, images: HelperImages) -> PodFragment:
    match part.pattern:
        case SidecarApp(spec=spec):
            return sidecars(spec, part)
        case Ambassador(spec=spec):
            return ambassador(spec, part, images)
        case Adapter(spec=spec):
            return adapter(spec, part, images)
    raise TypeError(f"no kind of ours: {part.pattern.kind}")


def _metadata(template: Mapping[str, Any], fragments: Sequence[PodFragment]) -> dict[str, Any]:
    """Return the Pod's metadata. Annotations of the template override the application's, and those a part's.

    Reserved labels and annotations are dropped: by them the operator tells whose a Pod is.
    """
    written = dict(template.get("metadata") or {})
    for name in ("labels", "annotations"):
        if written.get(name):
            written[name] = unreserved(written[name])
    annotations: dict[str, str] = {}
    for fragment in reversed(fragments):
        annotations |= fragment.annotations
    of_template = written.get("annotations") or {}
    own = [v["name"] for fragment in fragments for v in fragment.volumes if "emptyDir" in v]
    if annotations := {**annotations, **of_template, **evictable_with(own, of_template)}:
        written["annotations"] = annotations
    return written


def _too_many(number: int, most: int, what: str) -> Iterator[Problem]:
    """Yield a problem if all objects of the Pod together exceed a bound that each of them keeps."""
    if number > most:
        yield Problem("spec", f"the Pod would have {number} {what}: {most} are the most, take some out")


def _settings(pattern: Pattern) -> int:
    match pattern:
        case Ambassador(spec=spec):
            return ambassador_settings(spec)
        case Adapter(spec=spec):
            return adapter_settings(spec)
    return 0
