"""The origin of each field of a Pod: the field that somebody wrote for it, or the operator."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from podpatterns.api import Pattern, SidecarApp
from podpatterns.api.text import shown
from podpatterns.cli.output import table
from podpatterns.compose import HelperImages
from podpatterns.compose.composition import fragments_of
from podpatterns.compose.helpers.helper import helper_of
from podpatterns.compose.helpers.merge import LIST_KEYS
from podpatterns.compose.labels import reserved
from podpatterns.compose.part import Part, parts_of
from podpatterns.compose.podcontainer import PodContainer, in_starting_order
from podpatterns.compose.podfragment import PodFragment
from podpatterns.compose.volumes import SHARED_MEMORY, Shared, part_volumes, shared_volumes

OPERATOR = "the operator"
VALUE_LENGTH = 48
LISTS = ("containers", "initContainers")
ORIGIN_KEYS = {"ports": "containerPort", "volumeMounts": "name"}
"""The field of an item by which a composed container's origins name it."""

Row = tuple[str, str, str]
"""Field, value, and where that comes from."""


@dataclass(frozen=True, slots=True)
class _Sources:
    """All that a Pod is composed of."""

    parts: Sequence[Part]
    fragments: Sequence[PodFragment]
    shared: Mapping[str, Shared]

    def pairs(self) -> Iterator[tuple[Part, PodFragment]]:
        """Yield each object with what it adds."""
        return zip(self.parts, self.fragments, strict=True)


def explained(
    app: Pattern, available: Iterable[Pattern], images: HelperImages, made: Sequence[Mapping[str, Any]]
) -> str:
    """Return where the fields of the Pods come from, container by container; `made` are the objects rendered
    of `app`, which can be composed."""
    parts = parts_of(app, available)
    fragments = fragments_of(parts, images)
    spec = (app.spec.template or {}).get("spec") or {}
    containers = in_starting_order(spec, [f.helpers for f in fragments])
    sources = _Sources(parts, fragments, {s.name: s for s in shared_volumes(parts)})
    pods = [obj for obj in made if obj["kind"] == "Pod"]
    if not pods:
        return f"{app.kind} {app.metadata.name}: no Pod, spec.replicas is 0\n"
    meta = pods[0]["metadata"]
    title = f"Pod {meta.get('name') or meta['generateName'] + '*'}"
    others = f", and {len(pods) - 1} more like it" if len(pods) > 1 else ""
    text = _section(f"{title} of {app.kind} {app.metadata.name}{others}", _of_the_pod(pods[0], sources))
    for container in containers:
        manifest = next(m for m in pods[0]["spec"][container.container_list] if m["name"] == container.name)
        text += "\n" + _section(
            _title(container, sources.parts), _of_a_container(container, manifest, sources)
        )
    return text


def _section(title: str, rows: Iterator[Row]) -> str:
    lines = table(("FIELD", "VALUE", "FROM"), list(rows)).splitlines()
    return "".join(f"{line}\n" for line in [title, *(f"  {line}" for line in lines)])


def _title(container: PodContainer, parts: Sequence[Part]) -> str:
    origin = (
        f"composed by the operator for {parts[container.owner].named}"
        if container.composed
        else container.path
    )
    when = "init container" if container.container_list == "initContainers" else "container"
    if when == "init container" and container.keeps_running:
        when = "native sidecar"
    return f"{container.name} ({when}): {origin}"


def _of_the_pod(pod: Mapping[str, Any], sources: _Sources) -> Iterator[Row]:
    template = sources.parts[0].pattern.spec.template or {}
    written, meta = template.get("spec") or {}, template.get("metadata") or {}
    for name in ("labels", "annotations"):
        for key, value in (pod["metadata"].get(name) or {}).items():
            if key in (meta.get(name) or {}) and not reserved(key):
                source = f"spec.template.metadata.{name}[{key}]"
            else:
                source = next((_metrics(p) for p, f in sources.pairs() if key in f.annotations), OPERATOR)
            yield f"metadata.{name}[{key}]", _brief(value), source
    for name, value in pod["spec"].items():
        if name == "volumes":
            for volume in value:
                yield f"volumes[{volume['name']}]", _kind_of(volume), _volume(volume["name"], sources)
        elif name not in LISTS:
            source = f"spec.template.spec.{name}" if name in written else _setting(name, sources)
            yield name, _brief(value), source


def _setting(name: str, sources: _Sources) -> str:
    """Return the source of a field of the Pod's spec that is not the template's."""
    if name == "shareProcessNamespace":
        return next((f.shared_processes for f in sources.fragments if f.shared_processes), OPERATOR)
    return {
        "hostname": f"{OPERATOR}, as podNaming is Stable",
        "readinessGates": "spec.updateStrategy.inPlace.drainSeconds",
        "subdomain": "spec.serviceName",
    }.get(name, OPERATOR)


def _volume(name: str, sources: _Sources) -> str:
    return next(_volume_sources(name, sources), OPERATOR)


def _volume_sources(name: str, sources: _Sources) -> Iterator[str]:
    spec = sources.parts[0].pattern.spec
    for i, claim in enumerate(spec.volume_claim_templates):
        if claim.metadata.name == name:
            yield f"spec.volumeClaimTemplates[{i}]"
    template = spec.template or {}
    for i, volume in enumerate((template.get("spec") or {}).get("volumes") or ()):
        if volume.get("name") == name:
            yield f"spec.template.spec.volumes[{i}]"
    yield from (path for path, volume in part_volumes(sources.parts).items() if volume.get("name") == name)
    if shared := sources.shared.get(name):
        yield ", ".join(declared.path for declared in shared.declarations.values())
    if name == SHARED_MEMORY:
        yield _shared_memory(sources)
    for part, fragment in sources.pairs():
        if any(volume["name"] == name for volume in fragment.volumes):
            yield f"{OPERATOR}, for {part.named}"


def _shared_memory(sources: _Sources) -> str:
    sizes = ((p.path("spec.sharedMemory"), p.pattern.spec.shared_memory) for p in sources.parts)
    return next(path for path, size in sizes if size is not None)


def _metrics(part: Part) -> str:
    return part.path("spec.metrics")


def _of_a_container(container: PodContainer, manifest: Mapping[str, Any], sources: _Sources) -> Iterator[Row]:
    pattern = sources.parts[container.owner].pattern
    variables = {v.name: v.path for f in sources.fragments for v in f.variables}
    added = len(manifest.get("env") or ()) - len(container.manifest.get("env") or ())
    for name, value in manifest.items():
        if name not in LIST_KEYS:
            if name != "name":
                yield name, _brief(value), _field(container, name, pattern, sources.parts)
            continue
        for i, item in enumerate(value):
            field = f"{name}[{item.get(LIST_KEYS[name])}]"
            if name == "env" and i < added:
                source = variables[item["name"]]
            elif name == "volumeMounts" and i >= len(container.manifest.get(name) or ()):
                source = _mount(item["name"], container, sources)
            else:
                index = i - added if name == "env" else i
                source = _item(container, name, index, item, sources.parts)
            yield field, _brief(item), source


def _field(container: PodContainer, name: str, pattern: Pattern, parts: Sequence[Part]) -> str:
    if name in container.origins:
        return container.origins[name]
    if container.composed:
        return _of_a_helper(container, name, None, parts)
    if name == "restartPolicy" and not container.of_the_application:
        return f"{container.path}.order" if isinstance(pattern, SidecarApp) else OPERATOR
    return container.field(name)


def _item(
    container: PodContainer, name: str, index: int, item: Mapping[str, Any], parts: Sequence[Part]
) -> str:
    field = f"{name}[{index}]"
    origin = container.origins.get(field) or container.origins.get(f"{field}.{ORIGIN_KEYS.get(name)}")
    if origin or not container.composed:
        return origin or container.field(field)
    return _of_a_helper(container, name, item, parts)


def _of_a_helper(
    container: PodContainer, name: str, item: Mapping[str, Any] | None, parts: Sequence[Part]
) -> str:
    """Return the source of a composed container's field, which its author may have altered."""
    helper = helper_of(parts[container.owner].pattern.spec)
    if helper is None:
        return OPERATOR
    written = (helper.container or {}).get(name)
    if item is None and written is not None:
        return f"{container.path}.{name}"
    if item is not None and any(w.get(LIST_KEYS[name]) == item.get(LIST_KEYS[name]) for w in written or ()):
        return f"{container.path}.{name}"
    if name == "resources" and helper.resources:
        return f"{container.path.removesuffix('.container')}.resources"
    return OPERATOR


def _mount(volume: str, container: PodContainer, sources: _Sources) -> str:
    shared = sources.shared.get(volume)
    declared = shared.declaration_for(container) if shared else None
    if declared is None:
        return _shared_memory(sources) if volume == SHARED_MEMORY else OPERATOR
    if container.name in declared.mounts:
        at = [mount.container for mount in declared.volume.mounts].index(container.name)
        return f"{declared.path}.mounts[{at}]"
    return declared.path


def _kind_of(volume: Mapping[str, Any]) -> str:
    return next((key for key in volume if key != "name"), "emptyDir")


def _brief(value: object) -> str:
    """Return a value in a few characters; of a map its text, or the one value that tells it from others."""
    if isinstance(value, Mapping):
        value = next((value[key] for key in ("value", "name", "containerPort") if key in value), "{…}")
    if isinstance(value, list):
        value = " ".join(map(str, value)) if all(isinstance(v, str) for v in value) else "[…]"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return shown(text, VALUE_LENGTH)
