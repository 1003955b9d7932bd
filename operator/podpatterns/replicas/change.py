"""Change from one Pod template to another, and whether running Pods can take it.

Of a running Pod Kubernetes allows changes of the images of its containers, their CPU and memory, labels and
annotations (https://kubernetes.io/docs/concepts/workloads/pods/#pod-update-and-replacement). Any other
difference is an obstacle: the Pod has to be replaced. So is a change that a running container would not take
note of, that of an annotation by which people restart Pods, and a difference that can't be read, as templates
also come from ControllerRevisions, which no schema checks. Another order of a list is no difference where it
means nothing to Kubernetes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Any, NamedTuple

from podpatterns.api.text import NAME_LENGTH, listed, shown
from podpatterns.compose.labels import REVISION, unreserved
from podpatterns.replicas.downward import InPlace
from podpatterns.replicas.listorder import in_canonical_order
from podpatterns.replicas.resources import (
    changed_amounts,
    qos_class,
    requested,
    resizable,
    resize_restarts,
    same_resources,
)
from podpatterns.replicas.restart import restarts_pods

CONTAINER_LISTS = ("initContainers", "containers")

OBSTACLES_KEPT = 20
"""Obstacles that a Change names. One is enough to replace a Pod; the others are for people."""
DEPTH = 16
"""Levels of a spec below which fields are not told apart; no field of a Pod lies so deep."""


@dataclass(frozen=True, slots=True)
class Change:
    """The difference between two templates. Containers are named; names are unique in a Pod."""

    images: Mapping[str, str] = field(default_factory=dict)
    """Container -> its new image."""
    resources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Container -> its new ResourceRequirements, with every request spelled out."""
    restarts: Mapping[str, str] = field(default_factory=dict)
    """Container that it restarts -> the field that makes it restart."""
    labels: Mapping[str, str | None] = field(default_factory=dict)
    """New and altered labels; None for one that is taken away. Never one of the operator's own."""
    annotations: Mapping[str, str | None] = field(default_factory=dict)
    obstacles: tuple[str, ...] = ()
    """Fields that can't change in a running Pod, the first few, each as `kubectl explain pod` names it."""

    @property
    def in_place(self) -> bool:
        return not self.obstacles

    @property
    def empty(self) -> bool:
        """True if the Pods are the same but for their revision."""
        return self == Change()

    def __str__(self) -> str:
        """Return the obstacles if there are any, else the changes in place, for people."""
        if self.obstacles:
            return listed(self.obstacles)
        new = [f"image of {name}" for name in self.images]
        new += [f"resources of {name}" for name in self.resources]
        new += [f"label {key}" for key in self.labels] + [f"annotation {key}" for key in self.annotations]
        return listed(new)


def change(old: Any, new: Any, default_resources: Collection[str] = ()) -> Change:
    """Return the change of a Pod made from the template `old` that makes it one of `new`.

    `default_resources` are the containers of `new` whose resources the operator chose: a Pod from before it
    chose any runs on without. Any two JSON values have a Change.
    """
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        return Change() if _same(old, new) else Change(obstacles=("spec",))
    old, new = in_canonical_order(old), in_canonical_order(new)
    old_meta, new_meta = _field(old, "metadata"), _field(new, "metadata")
    old_spec, new_spec = _field(old, "spec"), _field(new, "spec")
    new_spec = _without_new_defaults(old_spec, new_spec, default_resources)
    pairs = list(_pairs(old_spec, new_spec))
    in_place = [pair for pair in pairs if pair.keeps_running]
    taken = Change(
        images={p.name: p.new["image"] for p in in_place if p.has_new_image},
        resources={p.name: requested(p.new.get("resources")) for p in in_place if p.has_new_amounts},
        restarts={p.name: p.restarting_field for p in in_place if p.restarting_field},
        labels=_moved(_field(old_meta, "labels"), _field(new_meta, "labels")),
        annotations=_moved(_field(old_meta, "annotations"), _field(new_meta, "annotations")),
    )
    obstacles = chain(
        _metadata_obstacles(old_meta, new_meta),
        (f"metadata.annotations[{_shown(key)}]" for key in taken.annotations if restarts_pods(key)),
        _obstacles(old_spec, new_spec, pairs, taken),
        _unnoticed(new_spec, pairs, taken),
    )
    return replace(taken, obstacles=tuple(dict.fromkeys(islice(obstacles, OBSTACLES_KEPT))))


def _without_new_defaults(old: Any, new: Any, default_resources: Collection[str]) -> Any:
    """Return the new spec without those default resources that containers of the old one lack."""
    names = {pair.name for pair in _pairs(old, new) if not _written(pair.old, "resources")}
    if not (names := names.intersection(default_resources)):
        return new
    lists = {
        name: [_without(c, "resources") if c["name"] in names else c for c in new[name]]
        for name in CONTAINER_LISTS
        if _names(_field(new, name))
    }
    return {**new, **lists}


class _Pair(NamedTuple):
    """A container as it was and as it is going to be."""

    container_list: str
    name: str
    old: Mapping[str, Any]
    new: Mapping[str, Any]

    @property
    def path(self) -> str:
        return f"spec.{self.container_list}[{_shown(self.name)}]"

    @property
    def keeps_running(self) -> bool:
        """False for an init container that has ended: it would not run again."""
        return self.container_list == "containers" or self.new.get("restartPolicy") == "Always"

    @property
    def has_new_image(self) -> bool:
        images = self.old.get("image"), self.new.get("image")
        return self.has_new("image") and all(image and isinstance(image, str) for image in images)

    @property
    def has_new_amounts(self) -> bool:
        """True if resources differ in a way that a running container can take."""
        old, new = self.old.get("resources"), self.new.get("resources")
        return self.has_new("resources") and resizable(old, new)

    @property
    def restarting_field(self) -> str:
        """The field whose change restarts the running container; empty if none does."""
        if self.has_new_image:
            return f"{self.path}.image"
        restarts = self.has_new_amounts and resize_restarts(self.old, self.new)
        return f"{self.path}.resources" if restarts else ""

    def has_new(self, name: str) -> bool:
        if name == "resources":
            return not same_resources(self.old.get(name), self.new.get(name))
        return not _same(_written(self.old, name), _written(self.new, name))


def _pairs(old: Any, new: Any) -> Iterator[_Pair]:
    """Yield the containers of each list that holds the same ones in the same order as before."""
    seen: set[str] = set()
    for name in CONTAINER_LISTS:
        before, after = _field(old, name), _field(new, name)
        names = _names(after)
        if not names or names != _names(before) or not seen.isdisjoint(names) or len(set(names)) < len(names):
            continue
        seen.update(names)
        yield from (_Pair(name, *pair) for pair in zip(names, before, after, strict=True))


def _moved(old: Any, new: Any) -> dict[str, str | None]:
    if not (_is_string_map(old) and _is_string_map(new)):
        return {}
    before, after = unreserved(old), unreserved(new)
    gone: dict[str, str | None] = dict.fromkeys(sorted(before.keys() - after.keys()))
    return gone | {key: value for key, value in after.items() if before.get(key) != value}


def _metadata_obstacles(old: Any, new: Any) -> Iterator[str]:
    if not _same(old, new) and not all(value is None or isinstance(value, Mapping) for value in (old, new)):
        yield "metadata"
    for name in ("labels", "annotations"):
        before, after = _field(old, name), _field(new, name)
        if not _same(before, after) and not (_is_string_map(before) and _is_string_map(after)):
            yield f"metadata.{name}"


def _obstacles(old: Any, new: Any, pairs: Sequence[_Pair], taken: Change) -> Iterator[str]:
    paired = {pair.container_list for pair in pairs}
    for name in CONTAINER_LISTS:
        if name not in paired and not _same(_written(old, name), _written(new, name)):
            yield f"spec.{name}"
    for pair in pairs:
        yield from _differences(_fixed(pair.old), _fixed(pair.new), pair.path)
        yield from (
            f"{pair.path}.{name}"
            for name, possible in (("image", taken.images), ("resources", taken.resources))
            if pair.has_new(name) and pair.name not in possible
        )
    if taken.resources:
        # https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/#limitations
        if _written(new, "resources") is not None:
            yield "spec.resources"
        elif qos_class(new) is None or qos_class(old) != qos_class(new):
            yield "status.qosClass"
    yield from _differences(_without_containers(old), _without_containers(new), "spec")


def _unnoticed(spec: Any, pairs: Sequence[_Pair], taken: Change) -> Iterator[str]:
    """Yield the fields by which containers take what changes in place, and would go on with the old value."""
    in_place = InPlace(
        metadata={"labels": {**taken.labels, REVISION: None}, "annotations": taken.annotations},
        amounts={
            p.name: changed_amounts(p.old.get("resources"), p.new.get("resources"))
            for p in pairs
            if p.name in taken.resources
        },
        restarted=taken.images.keys(),
    )
    for pair in pairs:
        yield from map(_shown, in_place.unnoticed(pair.path, pair.new, _field(spec, "volumes")))


def _without_containers(spec: Any) -> Any:
    return _without(spec, *CONTAINER_LISTS) if isinstance(spec, Mapping) else spec


def _fixed(container: Mapping[str, Any]) -> dict[str, Any]:
    return _without(container, "image", "resources")


def _without(written: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {k: v for k, v in written.items() if k not in names}


def _differences(old: Any, new: Any, path: str, depth: int = 0) -> Iterator[str]:
    """Yield the fields that differ, as deep as both sides have the same form.

    A list without items is none: no field of a Pod tells them apart.
    """
    if _same(old, new) or (old in (None, []) and new in (None, [])):
        return
    names = _names(new)
    if depth == DEPTH:
        yield path
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in (*old, *(k for k in new if k not in old)):
            yield from _differences(old.get(key), new.get(key), f"{path}.{_shown(key)}", depth + 1)
    elif names and names == _names(old):
        for name, one, other in zip(names, old, new, strict=True):
            yield from _differences(one, other, f"{path}[{_shown(name)}]", depth + 1)
    else:
        yield path


def _same(old: Any, new: Any) -> bool:
    try:
        return bool(old == new)
    except RecursionError:  # nested deeper than anything that can be compared
        return False


def _field(value: Any, name: str) -> Any:
    """Return a field of a map, or None."""
    return value.get(name) if isinstance(value, Mapping) else None


def _written(value: Any, name: str) -> Any:
    """Return a field of a map; None also if it is empty, which has the same meaning."""
    written = _field(value, name)
    return None if written in ({}, []) else written


def _shown(name: Any) -> str:
    return shown(str(name), NAME_LENGTH)


def _is_string_map(value: Any) -> bool:
    return value is None or (
        isinstance(value, Mapping) and all(isinstance(v, str) for pair in value.items() for v in pair)
    )


def _names(value: Any) -> list[str]:
    """Return the names of the items if all have one, as volumes and environment variables do; else none."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        return []
    names = [n for v in value if isinstance(v, Mapping) and isinstance(n := v.get("name"), str)]
    return names if len(names) == len(value) else []
